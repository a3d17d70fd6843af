import Postgres

// How rows name skills: by any word that finds one, made where none does.

extension ImportPlan {
    /// The skill that a word finds, else the word itself: two words may find one skill.
    static func identity(ofSkill word: SQL) -> SQL {
        """
        coalesce((select n.skill_id::text from skill_names n where n.folded = folded(\(sql: word))), folded(\(sql: word)))
        """
    }

    /// Makes the skills that `words` name and that are not there; all are held until the transaction ends.
    static func makeSkills(_ words: SQL) -> SQL {
        """
        select count(skill_named(w.word)) from (
            select distinct on (folded(u.word)) u.word from (\(sql: words)) u order by folded(u.word), u.word) w
        """
    }

    static let makeRequiredSkills = makeSkills(
        "select regexp_replace(unnest(r.required_skills), '>=[1-5]$', '') as word from pg_temp.import_rows r")

    /// `w.ids` and `w.levels`: the skills that a row requires, in order, each once, and the least levels.
    static let requiredSkills: SQL = """
        cross join lateral (
            select coalesce(array_agg(u.skill_id order by u.position), '{}') as ids,
                coalesce(array_agg(u.level order by u.position), '{}') as levels
            from (select n.skill_id, min(w.position) as position, max(right(w.word, 1)::smallint) filter (
                    where w.word ~ '>=[1-5]$') as level
                from unnest(r.required_skills) with ordinality w (word, position)
                join skill_names n on n.folded = folded(regexp_replace(w.word, '>=[1-5]$', ''))
                group by n.skill_id) u
            offset 0) w
        """
}

extension ImportField {
    static let requiredSkills = ImportField.optional(
        "required_skills", .skills,
        "Names of skills, with the least level that is asked for where there is one",
        ImportTarget(
            column: "required_skill_ids", inserted: "w.ids",
            updated: "case when r.required_skills is null then t.required_skill_ids else w.ids end", cleared: "'{}'"),
        ImportTarget(
            column: "required_levels", inserted: "w.levels",
            updated: "case when r.required_skills is null then t.required_levels else w.levels end", cleared: "'{}'"),
        export: """
            array(select s.name || coalesce('>=' || u.level, '')
                from unnest(t.required_skill_ids, t.required_levels) with ordinality u (id, level, position)
                join skills s on s.id = u.id order by u.position)
            """)
}
