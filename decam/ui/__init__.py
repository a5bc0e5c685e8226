"""Streamlit widgets that pages share: the only place under decam/ that imports streamlit."""
