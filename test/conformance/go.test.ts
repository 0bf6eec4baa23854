import { conformance } from './suite.js';

conformance('go');
