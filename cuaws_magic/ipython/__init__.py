"""
IPython's side: the magic, its grammar, and where views are displayed.

`magics` registers `%cuaws` and runs a command, as its `configuration` says; `grammar` parses
and helps, `completion` completes, `spelling` reads what hands type. `display` puts views on a
page or a terminal, `prompt` asks a person, `offers` puts a button below a card; after
`quiet_stops` who stops a command sees no red. `paste_cell` takes keys out of a cell that
`cell_wipe` then erases from page and history; `cell_account` runs a cell in another account.
`masked_output` keeps live secrets off the page; `at_import` waits for botocore.
"""
