"""Streamlit widgets that pages share: the only place that imports streamlit."""
