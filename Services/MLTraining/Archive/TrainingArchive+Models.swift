import Contracts
import Postgres
import ServiceKit
import ServiceStorage

extension TrainingArchive {
    /// A model waits in `restored_models` until its artefact is whole. Were it there before, a digest that names another tenant's
    /// artefact would be answered with that one, since nodes of ml-prediction hold artefacts by their digest.
    static let models = ArchivedFile(
        .models,
        parts: { _ in
            [
                records(.models),
                """
                SELECT line FROM (SELECT version, (to_jsonb(m) - 'tenant_id')::text AS line FROM models m
                    UNION ALL SELECT (record ->> 'version')::int, record::text FROM restored_models) m ORDER BY version
                """,
            ]
        },
        keep: { rows, connection in
            try await keepRecords(rows, where: isRecord, connection)
            try await refuse(
                rows,
                where: """
                    NOT \(sql: isRecord) AND NOT EXISTS (
                        SELECT FROM jsonb_populate_record(NULL::models, line::jsonb) m
                        JOIN jobs j ON j.id = m.job_id JOIN training_datasets d ON d.id = m.dataset_id)
                    """, "names a dataset or a job that has not been restored", connection)
            let taken = try await connection.query(
                """
                SELECT m.version FROM \(sql: rows.table), models m
                WHERE NOT \(sql: isRecord) AND m.version = (line::jsonb ->> 'version')::int
                    AND m.id <> (line::jsonb ->> 'id')::uuid LIMIT 1
                """)
            if let row = taken.first {
                throw ProblemError.conflict(
                    "The tenant has a model of version \(try row.decode("version", as: Int.self)) of its own: restore models into a tenant that has trained none."
                )
            }
            try await connection.execute(
                """
                INSERT INTO restored_models (tenant_id, model_id, record)
                SELECT \(sql: tenant), (line::jsonb ->> 'id')::uuid, line::jsonb FROM \(sql: rows.table)
                WHERE NOT \(sql: isRecord) AND NOT EXISTS (SELECT FROM models WHERE id = (line::jsonb ->> 'id')::uuid)
                ON CONFLICT DO NOTHING
                """)
            return nil
        })

    static let modelArtifacts = ArchivedFile(
        .modelArtifacts,
        parts: { connection in
            let chunks = try await connection.query(
                """
                SELECT c.model_id, c.ordinal FROM models m JOIN model_artifact_chunks c ON c.model_id = m.id
                ORDER BY m.version, c.ordinal
                """)
            return try [records(.modelArtifacts)]
                + chunks.map { row in
                    ArchivedPieces.lines(
                        of: """
                            SELECT model_id, ordinal, content, '{}'::jsonb FROM model_artifact_chunks
                            WHERE model_id = \(try row.decode("model_id", as: ModelID.self))
                                AND ordinal = \(try row.decode("ordinal", as: Int.self))
                            """)
                }
        },
        keep: { rows, connection in
            try await keepRecords(rows, where: "NOT line::jsonb ? 'of'", connection)
            let whole = try await ArchivedPieces.keep(
                rows,
                where: """
                    EXISTS (SELECT FROM restored_models r WHERE r.model_id = p.owner::uuid)
                        OR EXISTS (SELECT FROM models m WHERE m.id = p.owner::uuid)
                    """, connection)
            for chunk in whole {
                if let reason = try await take(chunk, connection) { return rows.refusal(line: chunk.line, reason) }
            }
            guard rows.isEnd == true, let version = try await waiting(connection) else { return nil }
            return .validation(
                "model_artifacts.ndjson", "ends before the artefact of the model of version \(version) is whole")
        })

    /// By their place in the tenant's history: numbers of the table are shared with other tenants.
    static let deployments = ArchivedFile(
        .deployments,
        parts: { _ in
            [
                records(.deployments),
                """
                SELECT (to_jsonb(d) - '{tenant_id, id, undoes, place}'::text[] || jsonb_build_object(
                    'number', place, 'undoes', (SELECT count(*) FROM deployments u WHERE u.id <= d.undoes HAVING count(*) > 0),
                    'version', (SELECT version FROM models m WHERE m.id = d.model_id)))::text AS line
                FROM (SELECT *, row_number() OVER (ORDER BY id) AS place FROM deployments) d ORDER BY place
                """,
            ]
        },
        keep: { rows, connection in
            try await refuse(
                rows,
                where: "EXISTS (SELECT FROM restored_models WHERE model_id = (line::jsonb ->> 'model_id')::uuid)",
                "is of a model whose artefact has not been restored", connection)
            let isUnknown: SQL = "NOT EXISTS (SELECT FROM models WHERE id = (line::jsonb ->> 'model_id')::uuid)"
            try await refuse(
                rows,
                where:
                    "\(sql: isUnknown) AND NOT EXISTS (SELECT FROM archived_records WHERE kind = \(ArchiveKind.models.rawValue))",
                "is of a model that has not been restored", connection)
            try await keepRecords(rows, where: isUnknown, connection)
            try await deploy(rows, except: isUnknown, connection)
            return nil
        })

    /// The archive of an earlier release has a model's dataset and job with it, and not what it needs to serve.
    private static let isRecord: SQL = "(line::jsonb ? 'dataset')"

    /// Puts the model into the registry if the chunk makes its artefact whole.
    /// - Returns: what is wrong with the artefact, which is forgotten then.
    private static func take(
        _ chunk: ArchivedPieces.Chunk, _ connection: PostgresConnection
    ) async throws -> String? {
        let found = try await connection.query(
            """
            SELECT (record ->> 'artifact_bytes')::bigint AS expected, record ->> 'artifact_sha256' AS sha256,
                (SELECT sum(octet_length(content)) FROM restored_pieces
                    WHERE kind = \(ArchiveKind.modelArtifacts.rawValue) AND owner = \(chunk.owner)) AS bytes
            FROM restored_models WHERE model_id = \(chunk.owner)::uuid
            """)
        guard let row = found.first else {
            // A restore that is run again brings what is there.
            try await ArchivedPieces.drop(of: chunk.owner, .modelArtifacts, connection)
            return nil
        }
        guard try row.decode("bytes", as: Int.self) >= row.decode("expected", as: Int.self) else { return nil }
        let digest = try await connection.query(
            """
            SELECT encode(sha256(string_agg(content, ''::bytea ORDER BY ordinal, piece)), 'hex') AS digest
            FROM restored_pieces WHERE kind = \(ArchiveKind.modelArtifacts.rawValue) AND owner = \(chunk.owner)
            """)[0].decode("digest", as: String.self)
        if try digest == row.decode("sha256", as: String.self) {
            try await register(chunk.owner, connection)
        }
        try await ArchivedPieces.drop(of: chunk.owner, .modelArtifacts, connection)
        return try digest == row.decode("sha256", as: String.self)
            ? nil : "ends an artefact that has not the digest that models.ndjson gives"
    }

    private static func register(_ model: String, _ connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            INSERT INTO models SELECT m.* FROM restored_models r, jsonb_populate_record(NULL::models,
                r.record || jsonb_build_object('tenant_id', \(sql: tenant))) m
            WHERE r.model_id = \(model)::uuid
            """)
        try await connection.execute(
            """
            INSERT INTO model_artifact_chunks (tenant_id, model_id, ordinal, content)
            SELECT tenant_id, \(model)::uuid, ordinal, string_agg(content, ''::bytea ORDER BY piece) FROM restored_pieces
            WHERE kind = \(ArchiveKind.modelArtifacts.rawValue) AND owner = \(model) GROUP BY tenant_id, ordinal
            """)
        try await connection.execute(
            """
            UPDATE jobs j SET model_id = m.id FROM models m WHERE m.id = \(model)::uuid AND j.id = m.job_id
            """)
        try await connection.execute(
            """
            INSERT INTO registries (tenant_id, last_version) SELECT tenant_id, version FROM models WHERE id = \(model)::uuid
            ON CONFLICT (tenant_id) DO UPDATE SET last_version = greatest(registries.last_version, excluded.last_version)
            """)
        try await connection.execute("DELETE FROM restored_models WHERE model_id = \(model)::uuid")
    }

    /// The first version whose artefact is not whole.
    private static func waiting(_ connection: PostgresConnection) async throws -> Int? {
        try await connection.query(
            "SELECT min((record ->> 'version')::int) AS version FROM restored_models HAVING count(*) > 0"
        ).first?.decode("version")
    }

    /// One after the other, since a rollback names the deployment that it undid.
    private static func deploy(
        _ rows: ArchiveRows, except condition: SQL, _ connection: PostgresConnection
    ) async throws {
        var count = try await connection.query("SELECT count(*) AS count FROM deployments")[0]
            .decode("count", as: Int.self)
        let given = try await connection.query(
            """
            SELECT number, line, (line::jsonb ->> 'number')::int AS place FROM \(sql: rows.table)
            WHERE NOT (\(sql: condition)) ORDER BY number
            """)
        for row in given {
            let (line, place) = (try row.decode("line", as: String.self), try row.decode("place", as: Int.self))
            if place <= count {
                try await requireSame(line, place, connection)
                continue
            }
            guard place == count + 1 else {
                throw rows.refusal(line: try row.decode("number"), "comes before the deployment numbered \(count + 1)")
            }
            count += 1
            try await connection.execute(
                """
                INSERT INTO deployments (tenant_id, model_id, replaces, reason, undoes, forced, deployed_by, deployed_at, note)
                SELECT \(sql: tenant), d.model_id, d.replaces, d.reason, (
                        SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM deployments) u
                        WHERE u.place = (\(line)::jsonb ->> 'undoes')::int),
                    d.forced, d.deployed_by, d.deployed_at, d.note
                FROM jsonb_populate_record(NULL::deployments, \(line)::jsonb - 'undoes') d
                """)
        }
    }

    private static func requireSame(
        _ line: String, _ place: Int, _ connection: PostgresConnection
    ) async throws {
        let same = try await connection.query(
            """
            SELECT FROM (SELECT *, row_number() OVER (ORDER BY id) AS place FROM deployments) d,
                jsonb_populate_record(NULL::deployments, \(line)::jsonb - 'undoes') r
            WHERE d.place = \(place) AND d.model_id = r.model_id AND d.deployed_at = r.deployed_at
            """)
        guard same.isEmpty else { return }
        throw ProblemError.conflict(
            "The tenant has deployments of its own: restore deployments into a tenant that has deployed nothing.")
    }
}
