import { join } from 'node:path';
import { BUNDLE } from '../../scripts/build.mjs';

/** The program that users start. bin/spread-sidecar.mjs would build again when a source changes during a test. */
export const BUILT_PROGRAM = join(BUNDLE, 'main.js');
