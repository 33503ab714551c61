"""The console: pages on the operator's machine that say how the service is, and let a person act.

`pages/` says what stands on each page: pure functions from what `reading` found to a record that a template shows.
`app` ties addresses to them, `guard` keeps strangers out, `acts` is what a person may do.
"""
