import { describe, expect, it } from 'vitest';
import { IdleCollection } from '../../../server/src/memory/idle-collection.js';

const MIB = 1024 * 1024;
const PERIOD_MS = 5000;

/** A process whose collection removes `garbage`. */
class FakeProcess {
  cpu = 0;
  live = 10 * MIB;
  garbage = 0;
  collections = 0;

  cpuMs(): number {
    return this.cpu;
  }

  usedBytes(): number {
    return this.live + this.garbage;
  }

  collect(): void {
    this.collections += 1;
    this.garbage = 0;
    this.cpu += 200;
  }
}

describe('garbage of an idle process', () => {
  it('is collected once the process is idle', () => {
    const process = new FakeProcess();
    const collection = new IdleCollection(process);
    process.garbage = 20 * MIB;
    process.cpu += 3000;
    collection.look(PERIOD_MS);
    expect(process.collections).toBe(0);
    process.cpu += 50;
    collection.look(PERIOD_MS);
    expect(process).toMatchObject({ collections: 1, garbage: 0 });
  });

  it('is collected again only when there is enough of it', () => {
    const process = new FakeProcess();
    const collection = new IdleCollection(process);
    collection.look(PERIOD_MS);
    expect(process.collections).toBe(1);
    process.garbage = 4 * MIB - 1;
    for (let i = 0; i < 10; i += 1) collection.look(PERIOD_MS);
    expect(process.collections).toBe(1);
    process.garbage += 1;
    collection.look(PERIOD_MS);
    expect(process.collections).toBe(2);
  });

  it('counts from the remaining memory when V8 collected by itself', () => {
    const process = new FakeProcess();
    const collection = new IdleCollection(process);
    process.live = 60 * MIB;
    collection.look(PERIOD_MS);
    process.live = 10 * MIB;
    collection.look(PERIOD_MS);
    process.garbage = 4 * MIB;
    collection.look(PERIOD_MS);
    expect(process.collections).toBe(2);
  });

  it('is not collected while there is work', () => {
    const process = new FakeProcess();
    const collection = new IdleCollection(process);
    for (let i = 0; i < 10; i += 1) {
      process.garbage += 20 * MIB;
      process.cpu += PERIOD_MS * 0.1;
      collection.look(PERIOD_MS);
    }
    expect(process.collections).toBe(0);
  });

  it('is collected every 10 s while there is little work, if there is much of it', () => {
    const process = new FakeProcess();
    const collection = new IdleCollection(process);
    const workFor = (seconds: number, garbage: number) => {
      for (let ms = 0; ms < seconds * 1000; ms += PERIOD_MS) {
        process.garbage += garbage;
        process.cpu += PERIOD_MS * 0.05;
        collection.look(PERIOD_MS);
      }
    };
    workFor(5, 16 * MIB);
    expect(process.collections).toBe(1);
    workFor(5, 16 * MIB);
    expect(process.collections).toBe(1);
    workFor(5, 0);
    expect(process.collections).toBe(2);
    workFor(60, MIB);
    expect(process.collections).toBe(2);
  });
});
