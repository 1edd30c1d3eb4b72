"""Sections: each a part of the page, made from a Subject. A section owns its charts, its tables and what they say; none knows HTML or another section."""
