"""
The panel's keys, where a page's own shortcuts would take them.

JupyterLab moves between cells with the arrow keys and deletes one with `d d`, also while
a list or button of a widget has the focus. A listener on the panel keeps plain keys for
what has the focus; those with Ctrl, Alt or Command, and Shift-Enter, stay the page's.
Beside that, Enter in the list uses the account, and the down arrow leads from the search
field into the list. Where a page runs no such code, everything is still in reach of Tab.
"""

from __future__ import annotations

from markupsafe import Markup

# An image that is always there: pages run the handler of its loading, but no <script>.
_PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="

_LISTEN = """
var image=this,tries=0;(function listen(){
 var panel=image.closest('.cuaws-panel');
 if(!panel){if(tries++<50)setTimeout(listen,100);return}
 panel.addEventListener('keydown',function(event){
  var target=event.target,plain=!event.ctrlKey&&!event.metaKey&&!event.altKey;
  if(!plain||(event.shiftKey&&event.key==='Enter'))return;
  if(/^(SELECT|BUTTON|A)$/.test(target.tagName))event.stopPropagation();
  var list=panel.querySelector('.cuaws-list select');
  if(event.key==='Enter'&&target===list){event.preventDefault();panel.querySelector('.cuaws-use').click()}
  if(event.key==='ArrowDown'&&target.closest('.cuaws-search')&&list){event.preventDefault();list.focus()}
 },true)
})()
"""


def keys() -> str:
    """Return what makes a page listen, as soon as it shows it."""
    return str(Markup('<img alt="" src="{}" onload="{}">').format(_PIXEL, " ".join(_LISTEN.split())))
