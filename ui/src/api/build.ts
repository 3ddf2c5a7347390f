// The build of the pages that the server has now.

/** Tells whether the server has other pages than the ones that run here; false when it cannot be reached. */
export async function isBuildOutdated(): Promise<boolean> {
  const own = document.querySelector<HTMLScriptElement>('script[type="module"][src]')?.getAttribute('src');
  try {
    const response = await fetch('/index.html', { cache: 'no-store' });
    const text = await response.text();
    return response.ok && Boolean(own) && text.includes('<script type="module"') && !text.includes(`src="${own}"`);
  } catch {
    return false;
  }
}
