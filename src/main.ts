import 'reflect-metadata';
import { runExeunt } from './run.js';

await runExeunt(process.argv[2]);
