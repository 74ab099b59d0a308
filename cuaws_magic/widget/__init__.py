"""
The panel: sign in and pick an account with the mouse or the keyboard.

`state` derives what the panel shows, `html` draws it, `widgets` holds the ipywidgets,
`selection` knows what was typed and selected, `panel` acts, and `view` is the value of
`%cuaws panel`. `offer` is one button below a card. `panel.css` and `panel.js` go with it.
"""
