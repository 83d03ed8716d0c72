#!/bin/sh
# Creates Candor's namespace with its retention and its search attributes; what exists already is left or updated.
# Worker and gateway start after it: a workflow that sets an attribute nobody registered would retry without end.
# Needs TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE (both read by the CLI itself) and CANDOR_RETENTION, such as 30d.
set -eu
: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}" "${CANDOR_RETENTION:?}"

# The frontend's port opens before the server serves, so ask the server, not the port.
tries=60
until temporal operator cluster health >/dev/null 2>&1; do
  tries=$((tries - 1))
  if [ "$tries" -eq 0 ]; then
    echo "unable to prepare the namespace; Temporal at $TEMPORAL_ADDRESS did not answer within 120 s: see the log of the service temporal" >&2
    exit 1
  fi
  sleep 2
done

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$CANDOR_RETENTION"
else
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$CANDOR_RETENTION"
fi

# A new namespace reaches every part of the server after a moment; until then its attributes cannot be listed.
tries=30
until known=$(temporal operator search-attribute list 2>/dev/null); do
  tries=$((tries - 1))
  if [ "$tries" -eq 0 ]; then
    echo "unable to read the search attributes of $TEMPORAL_NAMESPACE; the namespace did not become visible within 60 s" >&2
    exit 1
  fi
  sleep 2
done

attribute() {
  if printf '%s\n' "$known" | grep -qw "$1"; then
    echo "$1 exists"
  else
    temporal operator search-attribute create --name "$1" --type "$2"
    echo "$1 added as $2"
  fi
}

attribute CandorConversation Keyword
attribute CandorAgent Keyword
attribute CandorUser Keyword
attribute CandorOutcome Keyword
attribute CandorErrorCode Keyword
attribute CandorAuditVerdict Keyword
attribute CandorAuditConfidence Double
