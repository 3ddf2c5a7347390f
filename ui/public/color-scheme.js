// Sets light or dark before the first paint, so that nobody is flashed; a file, because a strict policy forbids inline scripts.
(function () {
  let wish = 'auto';
  try {
    wish = localStorage.getItem('vas.color-scheme') || wish;
  } catch {
    // A forbidden store: the system decides.
  }
  const isDark = wish === 'dark' || (wish !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', isDark ? 'dark' : 'light');
})();
