// The address of this page is a key: take it out of the address bar and of this entry of the history (T-51).
const form = document.getElementById('open');
history.replaceState(null, '', form.dataset.plain);
