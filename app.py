"""The dashboard from a checkout: streamlit run app.py."""

from pathlib import Path

from decam.ui import nav

nav.run(Path(__file__).parent / "pages")
