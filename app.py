"""The dashboard's entry: page configuration and navigation, nothing else."""

from pathlib import Path

import streamlit as st

st.set_page_config(
    page_title="DE-CAM · saliency methods compared",
    page_icon=str(Path(__file__).parent / "assets" / "icon.png"),
    layout="wide",
    initial_sidebar_state=320,
)
pages = [
    st.Page("pages/compare.py", title="Compare", default=True),
    st.Page("pages/de_cam.py", title="DE-CAM"),
    st.Page("pages/methods.py", title="Methods"),
    st.Page("pages/metrics.py", title="Metrics"),
    st.Page("pages/sanity.py", title="Sanity"),
]
st.navigation(pages, position="hidden").run()
