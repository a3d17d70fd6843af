/// What a field means whose name says more or less than that, by its type and name.
enum FieldMeaning {
    /// nil where the name says it.
    static func of(_ field: String, in type: String?) -> String? { type.flatMap { meanings["\($0).\(field)"] } }

    private static let actualHours =
        "The hours of the days with a record in the capacity history, and of no others. The actual hours that bookings state are of no "
        + "day and are not among them. Null without records."

    private static let meanings = [
        "UtilizationRow.actualHours": actualHours,
        "UtilizationPart.actualHours": actualHours,
        "UtilizationRow.recordedHours": "The same as `actualHours`.",
        "UtilizationRow.recordedPercent": "In percent of the capacity of the days with a record; null without.",
    ]
}
