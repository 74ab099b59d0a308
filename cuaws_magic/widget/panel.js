// The panel's keys, where a page's own shortcuts would take them. Runs as the onload handler of an image.
var image=this,tries=0;(function listen(){
 var panel=image.closest('.cuaws-panel');
 if(!panel){if(tries++<50)setTimeout(listen,100);return}
 window.addEventListener('keydown',function early(event){
  if(!panel.isConnected)return window.removeEventListener('keydown',early,true);
  if(!panel.contains(event.target))return;
  event.target.toggleAttribute('data-lm-suppress-shortcuts',!event.ctrlKey&&!event.metaKey&&!event.altKey)
 },true);
 panel.addEventListener('keydown',function(event){
  var target=event.target,plain=!event.ctrlKey&&!event.metaKey&&!event.altKey;
  if(!plain||(event.shiftKey&&event.key==='Enter'))return;
  if(/^(SELECT|BUTTON|A)$/.test(target.tagName))event.stopPropagation();
  var list=panel.querySelector('.cuaws-list select');
  if(event.key==='Enter'&&target===list){event.preventDefault();panel.querySelector('.cuaws-use').click()}
  if(event.key==='Escape'&&target.closest('.cuaws-search')&&target.value){event.stopPropagation();target.value='';
   target.dispatchEvent(new Event('input',{bubbles:true}))}
  if(event.key==='ArrowDown'&&target.closest('.cuaws-search')&&list){event.preventDefault();list.focus()}
 },true);
 var own=LOCAL_TIME;
 function times(){panel.querySelectorAll('time[data-cuaws]').forEach(own)}
 times();new MutationObserver(times).observe(panel,{childList:true,subtree:true});
 panel.classList.add('cuaws-scripted');
 function choose(){
  var list=panel.querySelector('.cuaws-list select'),rows=panel.querySelectorAll('.cuaws-rows p');
  rows.forEach(function(row,at){row.classList.toggle('cuaws-chosen',!!list&&at===list.selectedIndex)});
  var row=panel.querySelector('.cuaws-chosen');if(row)row.scrollIntoView({block:'nearest'})
 }
 panel.addEventListener('change',function(event){if(event.target.closest('.cuaws-list'))choose()},true);
 panel.addEventListener('input',function(event){if(event.target.closest('.cuaws-list'))choose()},true);
 panel.addEventListener('mousedown',function(event){if(event.target.closest('.cuaws-rows p'))event.preventDefault()});
 panel.addEventListener('click',function(event){
  var row=event.target.closest('.cuaws-rows p'),list=panel.querySelector('.cuaws-list select');
  if(!row||!list)return;
  list.selectedIndex=[].indexOf.call(row.parentNode.querySelectorAll('p'),row);
  list.dispatchEvent(new Event('change',{bubbles:true}));list.focus({preventScroll:true})
 });
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
