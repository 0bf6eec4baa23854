import { conformance } from './suite.js';

conformance('rust');
