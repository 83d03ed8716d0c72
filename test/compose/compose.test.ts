/**
 * The compose file cannot be started where these tests run (no container engine), so everything that can be known of it
 * without one is held here: the official schema, the house's rules for a deployment, and the documentation's table.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { type ComposeFile, findFaults, toVariables } from './compose-file.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const text = read('docker-compose.yml');
const compose = parse(text, { merge: true }) as ComposeFile;

describe('docker-compose.yml', () => {
  test('fits the schema of compose-spec and the rules of this project', () => {
    expect(findFaults(text)).toEqual([]);
  });

  test('holds every part of the product and its two one-shots', () => {
    expect(Object.keys(compose.services).sort()).toEqual([
      'gateway',
      'neo4j',
      'postgres',
      'temporal',
      'temporal-namespace',
      'temporal-schema',
      'temporal-ui',
      'valkey',
      'worker',
    ]);
  });

  test('publishes the gateway and the UI of Temporal, and nothing else', () => {
    const published = Object.entries(compose.services).filter(([, service]) => service.ports !== undefined);
    expect(published.map(([name]) => name).sort()).toEqual(['gateway', 'temporal-ui']);
  });

  test('takes only variables that docs/operations.md explains', () => {
    const documented = [...read('docs/operations.md').matchAll(/^\| `([A-Z0-9_`, ]+)` \|/gm)].flatMap((match) =>
      (match[1] ?? '').split('`, `'),
    );
    expect(toVariables(text).filter((name) => !documented.includes(name))).toEqual([]);
  });

  test('registers every search attribute of the turn and of the audit', () => {
    const registered = [...read('docker/temporal-namespace.sh').matchAll(/^attribute (\w+) (\w+)$/gm)];
    expect(registered.map((match) => `${match[1]}=${match[2]}`)).toEqual([
      'CandorConversation=Keyword',
      'CandorAgent=Keyword',
      'CandorUser=Keyword',
      'CandorOutcome=Keyword',
      'CandorErrorCode=Keyword',
      'CandorAuditVerdict=Keyword',
      'CandorAuditConfidence=Double',
    ]);
  });
});

describe('a fault planted in it is found', () => {
  const planted: readonly { fault: string; from: string | RegExp; to: string; said: RegExp }[] = [
    { fault: 'an unknown key', from: 'init: true', to: 'initt: true', said: /schema: .*additional properties/ },
    { fault: 'a duration without a unit', from: 'interval: 5s', to: 'interval: 5 seconds', said: /no duration/ },
    { fault: 'an image by its newest tag', from: /valkey:8\.1\.7-alpine/, to: 'valkey:latest', said: /not pinned/ },
    { fault: 'an image without a tag', from: /temporalio\/ui:[\d.]+/, to: 'temporalio/ui', said: /not pinned/ },
    {
      fault: 'a missing health check',
      from: /healthcheck:\n\s+test: \[CMD, valkey.*\n.*\n.*\n.*\n/,
      to: '\n',
      said: /valkey: no health check/,
    },
    {
      fault: 'a secret with a default',
      from: /CANDOR_JWT_SECRET:\?[^}]*/,
      to: 'CANDOR_JWT_SECRET:-secret',
      said: /CANDOR_JWT_SECRET is not demanded/,
    },
    {
      fault: 'a port open to the network',
      from: '${CANDOR_PUBLISH_ADDRESS:-127.0.0.1}:${PORT',
      to: '0.0.0.0:${PORT',
      said: /gateway: publishes/,
    },
    {
      fault: 'a start that waits for no health',
      from: /(neo4j:\n\s+condition: )service_healthy/,
      to: '$1service_started',
      said: /waits for neo4j/,
    },
  ];

  test.each(planted)('$fault', ({ from, to, said }) => {
    const broken = text.replace(from, to);
    expect(broken).not.toBe(text);
    expect(findFaults(broken).join('\n')).toMatch(said);
  });
});
