// A page whose code could not be loaded, with the reason: a newer build, or a server that cannot be reached.
import { isBuildOutdated } from '../api/build';

export class PageNotLoaded extends Error {
  readonly isOutdated: boolean;

  constructor(isOutdated: boolean) {
    super(isOutdated ? 'the server has a newer build of the pages' : 'the server cannot be reached');
    this.isOutdated = isOutdated;
  }
}

/** Awaits the import of a page; throws PageNotLoaded. */
export async function loadPage<T>(importPage: () => Promise<T>): Promise<T> {
  try {
    return await importPage();
  } catch {
    throw new PageNotLoaded(await isBuildOutdated());
  }
}
