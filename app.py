"""The dashboard from a checkout: streamlit run app.py."""

from decam.ui import nav

nav.run()
