// The work of an editor, kept in this browser over a reload: the picture's bytes, the frame, and the tiles of its layers.
// Storage may be switched off or full: then the editor works all the same, and `trouble` says why nothing is kept.

const NAME = "steady.editor";
const WORKS = "works"; // key of the editor -> {id, blob, address, margins, sent}
const TILES = "tiles"; // [key, layer, index] -> runs

const answered = (request) =>
  new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });

const ended = (transaction) =>
  new Promise((done, fail) => {
    transaction.oncomplete = () => done(null);
    transaction.onabort = () => fail(transaction.error);
  });

export class Storage {
  trouble = "";
  database = null; // a promise of it
  known = null; // the id of the work whose tiles are all written

  constructor(key) {
    this.key = key;
    this.saving = Promise.resolve();
  }

  async open() {
    this.database ??= new Promise((done, fail) => {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(WORKS);
        request.result.createObjectStore(TILES);
      };
      request.onblocked = () => fail(new Error("Another tab holds it."));
      request.onsuccess = () => done(request.result);
      request.onerror = () => fail(request.error);
    });
    return this.database;
  }

  // Resolves to {record, tiles: [[layer, index, runs]]}, null where nothing is kept or can be read.
  async read() {
    try {
      const database = await this.open();
      const transaction = database.transaction([WORKS, TILES]);
      const record = await answered(transaction.objectStore(WORKS).get(this.key));
      if (!record) return null;
      const [keys, values] = await Promise.all([
        answered(transaction.objectStore(TILES).getAllKeys(this.range)),
        answered(transaction.objectStore(TILES).getAll(this.range)),
      ]);
      this.known = record.id;
      return { record, tiles: keys.map(([, layer, index], i) => [layer, index, values[i]]) };
    } catch (error) {
      this.fails(error);
      return null;
    }
  }

  // Writes the record, and of its tiles those that `changed` names, [layer, index]; all of them where another work stands
  // there, of this tab or of another one. One after the other; what fails is told in `trouble`.
  save(work, changed) {
    this.saving = this.saving.then(async () => {
      try {
        await this.write(work, changed);
        this.trouble = "";
      } catch (error) {
        this.fails(error);
      }
    });
    return this.saving;
  }

  async write({ record, layers }, changed) {
    const database = await this.open();
    const transaction = database.transaction([WORKS, TILES], "readwrite");
    const over = ended(transaction);
    over.catch(() => {}); // told by what is awaited first
    const works = transaction.objectStore(WORKS);
    const tiles = transaction.objectStore(TILES);
    const there = await answered(works.get(this.key));
    if (there?.id !== record?.id || this.known !== record?.id) {
      tiles.delete(this.range);
      for (const [name, layer] of Object.entries(layers)) for (const [index, runs] of layer.committed) tiles.put(runs, [this.key, name, index]);
    } else {
      for (const [name, index] of changed) put(tiles, [this.key, name, index], layers[name].committed.get(index));
    }
    if (record) works.put(record, this.key);
    else works.delete(this.key);
    await over;
    this.known = record?.id ?? null;
  }

  get range() {
    return IDBKeyRange.bound([this.key], [this.key, []]); // an array comes after all texts
  }

  fails(error) {
    const full = error?.name === "QuotaExceededError";
    this.trouble = full
      ? "This browser's storage is full: the picture and the mask are gone after a reload. Free some space, or save them."
      : "This browser keeps nothing: the picture and the mask are gone after a reload.";
    this.known = null; // the next time all is written
  }
}

function put(store, key, value) {
  if (value) store.put(value, key);
  else store.delete(key);
}
