import { conformance } from './suite.js';

conformance('java');
