"""Reports on paper and screen: HTML, Markdown and JSON of one document."""
