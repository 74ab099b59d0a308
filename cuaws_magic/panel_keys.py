"""
The panel's keys, where a page's own shortcuts would take them.

JupyterLab moves between cells with the arrow keys and deletes one with `d d`, also while
a list or button of a widget has the focus. A listener on the panel keeps plain keys for
what has the focus; those with Ctrl, Alt or Command, and Shift-Enter, stay the page's.
Beside that, Enter in the list uses the account, and the down arrow leads from the search
field into the list. A button that was pressed with the keyboard, and is gone or at work
for a while, would let the focus fall to the page, whose shortcuts then take the next keys:
the focus comes back to it, or goes to what is there instead, unless the person went
elsewhere meanwhile. Where a page runs no such code, everything is still in reach of Tab.
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
 },true);
 panel.addEventListener('click',function(event){
  var button=event.target.closest('.jupyter-button'),looks=0;
  if(!button||event.detail)return;
  var timer=setInterval(function(){
   var has=document.activeElement,gone=button.offsetParent===null,next=gone?seen():button;
   if(looks++>150||!panel.isConnected||(has&&has!==document.body&&!panel.contains(has)))return clearInterval(timer);
   if(looks<5||(has&&has!==document.body&&!has.disabled)||!next||next.disabled)return;
   next.focus();clearInterval(timer)
  },100)
 });
 function seen(){
  return [].filter.call(panel.querySelectorAll('.cuaws-primary,.mod-primary:enabled,.jupyter-button:enabled'),
   function(one){return one.offsetParent!==null})[0]
 }
})()
"""


def keys() -> str:
    """Return what makes a page listen, as soon as it shows it."""
    return str(Markup('<img alt="" src="{}" onload="{}">').format(_PIXEL, " ".join(_LISTEN.split())))
