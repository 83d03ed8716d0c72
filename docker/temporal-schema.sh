#!/bin/sh
# Creates Temporal's two databases in PostgreSQL and brings their schemas to this image's version.
# Runs before the server at every start: each step leaves an up-to-date database as it is.
# The connection comes from SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD, which the tool reads itself.
set -eu

prepare() {
  database=$1
  schema=$2
  temporal-sql-tool --db "$database" create-database
  temporal-sql-tool --db "$database" setup-schema --version 0.0
  temporal-sql-tool --db "$database" update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$schema/versioned"
}

prepare temporal temporal
prepare temporal_visibility visibility
echo 'temporal and temporal_visibility are up to date'
