// The code of a page or of a part that could not be loaded: a newer build, or a server that cannot be reached.
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

const RETRY_MS = 5_000;

/** Repeats an import that fails, as in a moment without network, until it succeeds; throws PageNotLoaded after a newer build. */
export async function loadPart<T>(importPart: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await importPart();
    } catch {
      if (await isBuildOutdated()) throw new PageNotLoaded(true);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
