"""What Streamlit starts: the server, the script that draws its pages, and beside them settings and an icon."""
