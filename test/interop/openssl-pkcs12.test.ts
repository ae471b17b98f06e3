import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { importSamlKey } from '../../src/registry/certificates/import-material.js';
import { describeWith } from './describe-with.js';
import { openssl } from './products.js';

const PASSWORD = 'pass phrase 1';
let folder: string;

function run(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8', cwd: folder });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** A certificate of an authority, as real ones are. */
function issue(name: string, ...key: string[]): void {
  run('req', '-newkey', ...key, '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/O=Example/CN=${name}`);
  run('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-days', '30', '-out', `${name}.crt`);
}

function bundle(name: string, ...options: string[]): string {
  const args = ['-export', '-inkey', `${name}.key`, '-in', `${name}.crt`, '-out', 'bundle.p12', ...options];
  run('pkcs12', ...args, ...(options.includes('-passout') ? [] : ['-passout', `pass:${PASSWORD}`]));
  return readFileSync(join(folder, 'bundle.p12')).toString('base64');
}

const imported = (pkcs12: string, password = PASSWORD) => importSamlKey({ pkcs12, password }, new Date());

describeWith(openssl, 'PKCS#12 files that OpenSSL made', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'exeunt-pkcs12-'));
    run('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=authority', '-days', '30');
    issue('rsa', 'rsa:2048');
    issue('other', 'rsa:2048');
    issue('ec', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256');
    issue('p384', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each<[string, string, string[]]>([
    ['of today (AES-256, PBKDF2, HMAC-SHA256)', 'rsa', []],
    ['of old (RC2-40 and 3DES, SHA-1)', 'rsa', ['-legacy']],
    ['of old with 3DES alone', 'rsa', ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
    ['with AES-128', 'rsa', ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC']],
    ['with a MAC of SHA-512', 'rsa', ['-macalg', 'sha512']],
    ['without a MAC', 'rsa', ['-nomac']],
    ['with the chain', 'rsa', ['-certfile', 'ca.crt']],
    ['with a friendly name', 'rsa', ['-name', 'Anmeldung für alle']],
    ['with EC P-256', 'ec', []],
    ['of old with EC P-256', 'ec', ['-legacy']],
  ])('%s are read', (_, name, options) => {
    const key = imported(bundle(name, ...options));
    expect(key.subject).toBe(`O=Example, CN=${name}`);
    expect(key.certificate.replace(/\s/g, '')).toBe(run('x509', '-in', `${name}.crt`).replace(/\s/g, ''));
    const own = run('pkey', '-in', `${name}.key`, '-pubout', '-outform', 'PEM');
    writeFileSync(join(folder, 'read.key'), key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(run('pkey', '-in', 'read.key', '-pubout')).toBe(own);
  });

  it('that have an empty password are read without one', () => {
    expect(imported(bundle('rsa', '-passout', 'pass:'), '').subject).toBe('O=Example, CN=rsa');
  });

  it.each([[[]], [['-legacy']], [['-nomac']]])('with a wrong password are refused, which is said plainly (%j)', (options) => {
    const file = bundle('rsa', ...options);
    expect(() => imported(file, 'pass phrase 2')).toThrow(/\/password is wrong/);
    expect(() => imported(file, '')).toThrow(/\/password is wanted/);
    expect(() => imported(file, 'pass phrase 2')).not.toThrow(/pass phrase 2/);
  });

  it('with a curve of no algorithm here are refused', () => {
    expect(() => imported(bundle('p384'))).toThrow(/RSA or EC P-256, this one is secp384r1/);
  });

  it('without a key, or without a certificate, are refused', () => {
    run('pkcs12', '-export', '-nokeys', '-in', 'rsa.crt', '-out', 'bundle.p12', '-passout', `pass:${PASSWORD}`);
    expect(() => imported(readFileSync(join(folder, 'bundle.p12')).toString('base64'))).toThrow(/one private key, this holds 0/);
    run('pkcs12', '-export', '-nocerts', '-inkey', 'rsa.key', '-out', 'bundle.p12', '-passout', `pass:${PASSWORD}`);
    expect(() => imported(readFileSync(join(folder, 'bundle.p12')).toString('base64'))).toThrow(/none of its 0 certificates/);
  });

  it('of which any byte is changed open no other key', () => {
    const file = Buffer.from(bundle('rsa'), 'base64');
    for (let at = 0; at < file.length; at += 97) {
      const changed = Buffer.from(file);
      changed[at]! ^= 1;
      expect(() => imported(changed.toString('base64'))).toThrow(/The key cannot be used/);
    }
  });
});
