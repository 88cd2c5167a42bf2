"""Ideas and projects."""
