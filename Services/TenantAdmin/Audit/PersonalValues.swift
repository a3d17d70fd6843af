import Contracts
import Postgres
import ServiceIdentity

/// Values of audit entries that name a person. An entry's details have the digest of such a value; the value with its salt stands in
/// `audit_personal_values`, from where it can be erased (``ErasedValues``).
enum PersonalValues {
    /// Fields of `before` and `after` whose texts are personal, by what an entry is about.
    static let fields: [String: [String]] = [
        "employee": ["name", "email", "externalId"], "user": ["name", "email"], "invitation": ["name", "email"],
        "tenant": ["adminEmail"],
    ]

    /// The details of `audit_logs a` with each value in its place; what is gone, or is not what was hashed, is called erased.
    static let shown: SQL = """
        CASE WHEN a.details ? 'sealed' THEN (
            SELECT (a.details - 'sealed') || jsonb_object_agg(side, coalesce(a.details -> side, '{}') || fields)
            FROM (
                SELECT split_part(d.place, '.', 1) AS side,
                    jsonb_object_agg(split_part(d.place, '.', 2), coalesce(v.value, \(PersonalValue.erased)::text)) AS fields
                FROM jsonb_each_text(a.details -> 'sealed') d (place, digest)
                    LEFT JOIN audit_personal_values v ON v.seq = a.seq AND v.place = d.place AND \(sql: fits)
                GROUP BY 1) s)
        ELSE a.details END
        """

    /// Of `audit_logs a`, by place, values with their salts as ``PersonalValue``; NULL where no value is personal.
    static let exported: SQL = """
        (SELECT jsonb_object_agg(d.place, CASE WHEN v.seq IS NULL THEN jsonb_build_object('value', \(PersonalValue.erased)::text)
            ELSE jsonb_build_object('value', v.value, 'salt', encode(v.salt, 'hex')) END)
        FROM jsonb_object_keys(a.details -> 'sealed') d (place)
            LEFT JOIN audit_personal_values v ON v.seq = a.seq AND v.place = d.place)
        """

    /// Whether the value `v` is the one whose digest `d` was hashed: as ``PersonalValue/digest``.
    static let fits: SQL = """
        octet_length(v.salt) = 32 AND encode(sha256(v.salt || convert_to(v.value, 'UTF8')), 'hex') = d.digest
        """
}

extension Change {
    /// Takes the texts that are personal out of the details.
    /// - Returns: them, by place: `after.name`. What is null stays.
    mutating func takePersonalValues() -> [String: String] {
        var values: [String: String] = [:]
        for side in ["before", "after"] {
            guard case .object(var members)? = details[side] else { continue }
            for field in PersonalValues.fields[entity] ?? [] {
                guard case .string(let text)? = members[field] else { continue }
                values["\(side).\(field)"] = text
                members[field] = nil
            }
            details[side] = .object(members)
        }
        return values
    }

    /// The same without what names the person, who is gone, and with what was erased of earlier entries.
    func erasing(_ erased: ErasedValues) -> Change {
        var change = self
        _ = change.takePersonalValues()
        change.details.merge(erased.details) { $1 }
        return change
    }
}
