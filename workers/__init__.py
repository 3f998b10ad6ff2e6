"""What happens without a request: Celery tasks on the beat schedule, and the same duties as management commands.

A task is a wake-up call: the duty itself is a service of a lower floor, derives its work from tables, takes a batch and
can be killed anywhere. Losing a message loses nothing.
"""
