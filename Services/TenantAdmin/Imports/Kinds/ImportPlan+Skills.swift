import Postgres

// How rows name skills: by any word that finds one, made where none does.

extension ImportPlan {
    /// The skill that a word finds, else the word itself: two words may find one skill.
    static func identity(ofSkill word: SQL) -> SQL {
        """
        coalesce((SELECT n.skill_id::text FROM skill_names n WHERE n.folded = folded(\(sql: word))), folded(\(sql: word)))
        """
    }

    /// Makes the skills that `words` name and that are not there; all are held until the transaction ends.
    static func makeSkills(_ words: SQL) -> SQL {
        "SELECT count(skill_named(w.word)) FROM (\(sql: eachOnce(words))) w"
    }

    /// The same words come again and again: each is folded once.
    private static func eachOnce(_ words: SQL) -> SQL {
        """
        SELECT DISTINCT ON (folded(u.word)) u.word FROM (SELECT DISTINCT a.word FROM (\(sql: words)) a) u
        ORDER BY folded(u.word), u.word
        """
    }

    /// Words that are not there yet; the skill carries the mark of the change.
    static let addAliases: SQL = """
        WITH added AS (
            INSERT INTO skill_names (folded, skill_id, name, is_alias)
            SELECT DISTINCT ON (folded(a.word)) folded(a.word), own.skill_id, a.word, true
            FROM pg_temp.import_rows r CROSS JOIN unnest(r.aliases) a (word)
            JOIN skill_names own ON own.folded = folded(r.name)
            ORDER BY folded(a.word), r.line ON CONFLICT (folded) DO NOTHING RETURNING skill_id)
        UPDATE skills SET updated_at = now() WHERE id IN (SELECT skill_id FROM added)
        """

    static let makeRequiredSkills = makeSkills(requiredWords)

    private static let requiredWords: SQL = """
        SELECT \(sql: wordOfSkill) AS word FROM pg_temp.import_rows r CROSS JOIN unnest(r.required_skills) w (word)
        """

    /// Of `w.word`, without the level that is asked for.
    private static let wordOfSkill: SQL = "regexp_replace(w.word, '>=[1-5]$', '')"

    /// Skills by `id` and `name`, those included that ``makeRequiredSkills`` would make: a dry run makes none.
    static let skillsRequired: SQL = """
        (SELECT id, name FROM skills UNION ALL
            SELECT \(sql: idToCome(of: "w.word")), tidied(w.word) FROM (\(sql: eachOnce(requiredWords))) w
            WHERE NOT EXISTS (SELECT FROM skill_names n WHERE n.folded = folded(w.word))) required
        """

    /// Stands for the id of a skill that is not there yet.
    private static func idToCome(of word: SQL) -> SQL { "md5(folded(\(sql: word)))::uuid" }

    /// `w.ids` and `w.levels`: the skills that a row requires, in order, each once, and the least levels. The same lists come again
    /// and again: each is looked up once.
    static let requiredSkills: SQL = """
        LEFT JOIN (
            SELECT l.words, array_agg(u.skill_id ORDER BY u.position) AS ids, array_agg(u.level ORDER BY u.position) AS levels
            FROM (SELECT DISTINCT required_skills AS words FROM pg_temp.import_rows WHERE required_skills IS NOT NULL) l
            CROSS JOIN LATERAL (
                SELECT coalesce(n.skill_id, \(sql: idToCome(of: wordOfSkill))) AS skill_id, min(w.position) AS position,
                    max(right(w.word, 1)::smallint) FILTER (WHERE w.word ~ '>=[1-5]$') AS level
                FROM unnest(l.words) WITH ORDINALITY w (word, position)
                LEFT JOIN skill_names n ON n.folded = folded(\(sql: wordOfSkill))
                GROUP BY 1) u
            GROUP BY l.words) w ON w.words = r.required_skills
        """
}

extension ImportField {
    static let requiredSkills = ImportField.optional(
        "required_skills", .skills,
        "Names of skills, with the least level that is asked for where there is one",
        ImportTarget(
            column: "required_skill_ids", inserted: "coalesce(w.ids, '{}')",
            updated: "CASE WHEN r.required_skills IS NULL THEN t.required_skill_ids ELSE coalesce(w.ids, '{}') END",
            cleared: "'{}'"),
        ImportTarget(
            column: "required_levels", inserted: "coalesce(w.levels, '{}')",
            updated: "CASE WHEN r.required_skills IS NULL THEN t.required_levels ELSE coalesce(w.levels, '{}') END",
            cleared: "'{}'"),
        export: """
            array(SELECT s.name || coalesce('>=' || u.level, '')
                FROM unnest(t.required_skill_ids, t.required_levels) WITH ORDINALITY u (id, level, position)
                JOIN skills s ON s.id = u.id ORDER BY u.position)
            """)
}

extension ImportPlan.Check {
    /// A word finds one skill.
    static var aliasOfAnother: Self {
        .init(
            column: "aliases",
            condition: """
                EXISTS (SELECT FROM unnest(r.aliases) a (word) JOIN skill_names n ON n.folded = folded(a.word)
                    LEFT JOIN skill_names own ON own.folded = folded(r.name)
                    WHERE n.skill_id IS DISTINCT FROM own.skill_id)
                OR EXISTS (SELECT FROM unnest(r.aliases) a (word) WHERE folded(a.word) IN (
                    SELECT w.folded FROM (
                        SELECT o.line, folded(o.name) FROM pg_temp.import_rows o
                        UNION SELECT o.line, folded(b.word) FROM pg_temp.import_rows o CROSS JOIN unnest(o.aliases) b (word)
                    ) w (line, folded) GROUP BY w.folded HAVING count(*) > 1))
                """,
            reason: "'contains an alias of another skill'", others: .hindrance)
    }
}
