"""What Streamlit starts: the script and, beside it, its settings and its icon."""
