// Downloads a file as a click on a download link does.

/** An empty `name` leaves the name to the server. */
export function downloadFile(url: string, name = ''): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}
