import { conformance } from './suite.js';

conformance('typescript');
