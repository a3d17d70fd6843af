#!/bin/bash
# Run once by the postgres image when it has made its cluster: the services' roles, then no more superuser over TCP.
set -euo pipefail
{
  for role in gateway tenant_admin ml_training ml_prediction; do
    echo "\\set ${role}_password '$(cat "/secrets/$role.password")'"
  done
  cat /roles.sql
  echo "ALTER ROLE CURRENT_USER PASSWORD NULL;"
} | psql -q -U "$POSTGRES_USER" -d "$POSTGRES_DB" -f -
