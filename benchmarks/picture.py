"""Draw the README's picture: the makers' markout curves in calm beside toxic. python benchmarks/picture.py docs/markouts.png

Runs both scenarios, draws them as the report does, and lets a headless Chromium turn the page into a picture.
"""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lob.report.curve import compare, write_html
from lob.simulation.scenario import load

WIDTH, HEIGHT = 1100, 490


def main(path):
    """Write the picture to `path`."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("no Chromium found")
    tapes = []
    for name in ("calm", "toxic"):
        scenario = load(name)
        tapes.append(scenario.simulation().run(scenario.minutes).tape)
    with tempfile.TemporaryDirectory() as folder:
        page = write_html(compare(*tapes), Path(folder) / "page.html")
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking", f"--window-size={WIDTH},{HEIGHT}",
             "--virtual-time-budget=4000", f"--screenshot={Path(path).resolve()}", page.as_uri()],
            check=True, capture_output=True,
        )
    print(path)


if __name__ == "__main__":
    main(sys.argv[1])
