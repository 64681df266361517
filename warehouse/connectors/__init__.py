"""What is known outside, fetched into ERP files of drivers; nothing here touches the database.

One file a source: `rows(web, asked)` yields what its public API says. `fetch.py` writes the files,
`web.py` asks with time limits, tries again and keeps answers.
"""
