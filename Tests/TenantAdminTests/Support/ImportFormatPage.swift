import Contracts

@testable import TenantAdmin

/// `docs/import-format.md`, from the arrays of fields that imports themselves go by.
enum ImportFormatPage {
    static var text: String {
        let kinds = ImportKind.allCases.map { kind -> String in
            let rows = ImportPlan(kind).fields.map { field in
                "| `\(field.name)` | \(field.isRequired ? "yes" : "") | \(field.rule.words) | "
                    + "\(field.canBeCleared ? "yes" : "") | \(field.about.replacing("|", with: "\\|")) |"
            }
            return """
                ## \(kind.fileName)

                | column | required | value | `\\N` | meaning |
                | --- | --- | --- | --- | --- |
                \(rows.joined(separator: "\n"))
                """
        }
        return ([introduction] + kinds).joined(separator: "\n\n") + "\n"
    }

    /// `Services/Console/lib/import-kinds.js`, the columns that the console offers.
    static var consoleKinds: String {
        let kinds = ImportKind.allCases.map { kind in
            let names = ImportPlan(kind).fields.map { "\"\($0.name)\"" }
            return "  \(kind.rawValue): [\(names.joined(separator: ", "))],"
        }
        return """
            // Generated from the fields that imports go by; Tests/TenantAdminTests/ImportFormatTests.swift says how.

            /** The kinds of the import format with their columns, in the order in which they refer to each other. */
            export const KINDS = {
            \(kinds.joined(separator: "\n"))
            };

            """
    }

    private static let introduction = """
        # The import format

        This page is generated from the fields that imports go by; `Tests/TenantAdminTests/ImportFormatTests.swift` says how.

        `POST /api/v1/imports?kind=…` takes one file of one kind, as CSV (`text/csv`, UTF-8, RFC 4180, header row) or NDJSON
        (`application/x-ndjson`, one object a line with the columns as keys). Send the kinds in the order of this page: what one
        file refers to, an earlier one brings. `ermctl import DIR` sends a folder in this order.

        - Rows are found again by the columns that name them (`external_id`, or the names and days that are required). Rows that
          are the same already are not touched.
        - **An empty cell keeps what is there**, as do a column that is absent and a key that is absent from an NDJSON row. `\\N`
          takes away what is there, as does `null` in NDJSON; the last column of the tables says where that is possible. In a new
          row an empty cell means unknown, or the default that the table names.
        - Lists are separated by `;` (NDJSON: an array), labels are `key=value;key=value` (NDJSON: an object).
        - Names are compared without regard to letter case, surrounding blanks and Unicode form. External ids are text, digit by
          digit, without surrounding blanks.
        - Spreadsheets: `;` or tab as separator when the header row uses it, a decimal comma then; rows without any value and
          empty columns at the end are skipped; `4.0` is a whole number; TRUE and FALSE may be in capitals. Dates are
          `2026-01-31` only: others are ambiguous.
        - A date where a time may stand is the beginning of that day in the tenant's time zone (setting `timezone`).
        - `onError=abort` (the default) applies nothing of a file that has a bad row; `skip` applies the good rows. Each bad row is
          named by line, column and reason.
        - `dryRun=true` says all that would happen and does nothing (200 instead of 201).
        - `history=as_decided` (the default) or `unknown`: whether new allocations stood so when they were decided.
        - `id=UUID` names the import, so that `GET /api/v1/imports/{id}` says how far it has come while it is under way.
        - The report counts `inserted`, `updated`, `unchanged`, `cleared` (of the rows updated, those that lost a value) and
          `rejected`, and lists `errors` and `warnings`.
        """
}

extension ImportRule {
    /// What may stand in a field, in a few words.
    fileprivate var words: String {
        switch self {
        case .text(let maximum): "text, at most \(maximum) characters"
        case .prose(let maximum): "text, at most \(maximum) characters, line breaks allowed"
        case .email: "e-mail address"
        case .number(let range): "number from \(Self.plain(range.lowerBound)) to \(Self.plain(range.upperBound))"
        case .percentage(let maximum): "percent, 0 to \(Self.plain(maximum))"
        case .weeklyHours: "hours, 0 to 168"
        case .dailyHours: "hours, 0 to 24"
        case .integer(let range): "whole number from \(range.lowerBound) to \(range.upperBound)"
        case .date: "date"
        case .dayOrEver: "date or `ever`"
        case .time: "date, or time with an offset"
        case .oneOf(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .skill: "text, at most 100 characters, without `>=`"
        case .names: "list of names, without `>=`"
        case .skills: "list of skills, each perhaps with a least level: `Swift>=3`"
        case .labels: "labels"
        case .flag: "`true` or `false`"
        }
    }

    private static func plain(_ number: Double) -> String { String(Int(number)) }
}
