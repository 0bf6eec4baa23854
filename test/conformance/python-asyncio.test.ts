import { conformance } from './suite.js';

conformance('python', 'asyncio');
