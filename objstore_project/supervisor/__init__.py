"""What stands behind `manage.py up`: the embedded servers, and one supervisor over all processes of the system.

Not for: anything that a request needs. In production, where systemd or containers run the processes, none of it runs.
"""
