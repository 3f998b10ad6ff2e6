"""A real, headless Chromium, driven by Debian's chromedriver: sign in, click, choose files, wait for what shows."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live.processes import wait_until

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
)


class Browser:
    """One window."""

    def __init__(self, driver: Any, downloads: Path) -> None:
        self.driver = driver
        self.downloads = downloads

    @classmethod
    def start(cls, chromium_path: str, directory: Path) -> Browser:
        """Start Chromium with an empty profile, or skip the test where it cannot be driven."""
        webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium: pip install selenium")
        driver_path = shutil.which("chromedriver")
        if driver_path is None:
            pytest.skip("needs chromedriver: apt-get install chromium-driver")
        options = webdriver.ChromeOptions()
        options.binary_location = chromium_path
        for argument in (*ARGUMENTS, f"--user-data-dir={directory / 'profile'}"):
            options.add_argument(argument)
        downloads = directory / "downloads"
        downloads.mkdir()
        options.add_experimental_option(
            "prefs", {"download.default_directory": str(downloads), "download.prompt_for_download": False}
        )
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService(executable_path=driver_path)
        return cls(webdriver.Chrome(options=options, service=service), downloads)

    def stop(self) -> None:
        """Close it."""
        self.driver.quit()

    def forget(self, console_url: str) -> None:
        """Sign out whoever is signed in."""
        self.driver.get(f"{console_url}/sign-in/")
        self.driver.delete_all_cookies()
        self.messages()

    def messages(self) -> list[str]:
        """Return what the browser complained about since the last call: errors of scripts, refusals of the policy."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] == "SEVERE" and "favicon" not in entry["message"]
        ]

    def open(self, address: str) -> None:
        """Open a page."""
        self.driver.get(address)

    def sign_in(self, console_url: str, username: str, password: str) -> None:
        """Fill in the form of the sign-in page and send it."""
        self.open(f"{console_url}/")
        self.fill("#id_username", username)
        self.fill("#id_password", password)
        self.click("form.stack button")

    @property
    def url(self) -> str:
        return str(self.driver.current_url)

    @property
    def text(self) -> str:
        """What the page's content says."""
        return str(self.one("main").text)

    def all(self, selector: str) -> list[Any]:
        return list(self.driver.find_elements("css selector", selector))

    def one(self, selector: str) -> Any:
        """Return the one element, once it is there."""
        wait_until(lambda: bool(self.all(selector)), f"{selector} on {self.driver.current_url}", seconds=15)
        return self.all(selector)[0]

    def click(self, selector: str) -> None:
        self.one(selector).click()

    def fill(self, selector: str, text: str) -> None:
        element = self.one(selector)
        element.clear()
        element.send_keys(text)

    def confirm(self) -> None:
        """Say yes in the dialog."""
        self.click("dialog[open] button[value=yes]")

    def wait_for(self, claim: Callable[[], bool], what: str) -> None:
        """Wait until the page says so; a page that changes under the question is asked again."""

        def safely() -> bool:
            try:
                return claim()
            except Exception as error:
                if type(error).__name__ in {"StaleElementReferenceException", "NoSuchElementException"}:
                    return False
                raise

        try:
            wait_until(safely, what, seconds=20)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.url} says: {self.one('main').text[:600]}") from error

    def wait_for_text(self, text: str) -> None:
        self.wait_for(lambda: text in self.text, f"the page says {text!r}")

    def names(self) -> list[str]:
        """Return the names in the listing."""
        return [element.text for element in self.all("table.list .name span")]
