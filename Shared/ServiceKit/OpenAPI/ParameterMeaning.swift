/// What a parameter means, by its name: a name means the same in every route.
enum ParameterMeaning {
    struct Unlisted: Error, CustomStringConvertible {
        let name: String
        var description: String { "ParameterMeaning says nothing of the parameter \(name)" }
    }

    /// - Throws: ``Unlisted``.
    static func inPath(_ name: String) throws -> String {
        if let meaning = path[name] { return meaning }
        guard name == "id" || name.hasSuffix("Id") else { throw Unlisted(name: name) }
        return "The resource's id."
    }

    /// - Throws: ``Unlisted``.
    static func inQuery(_ name: String) throws -> String {
        guard let meaning = query[name] else { throw Unlisted(name: name) }
        return meaning
    }

    private static let path = [
        "date": "A day, as YYYY-MM-DD.",
        "partId": "The id of the entry below the employee.",
        "user": "The user's id.",
        "model": "The network's name, as `GET /v2/models` lists it.",
        "version": "The network's version.",
    ]

    private static let query = [
        "action": "Only entries of this action.",
        "activeOn": "Only people who are active on this day: employed, and not on hold.",
        "actor": "Only entries by this user's id, `api-key:<id>` or `platform-operator`.",
        "after": "Only what comes after this position.",
        "asOf": "The moment that the answer describes; now when it is absent.",
        "category": "Only skills of this category.",
        "commitment": "Only bookings with this commitment.",
        "cursor": "`page.nextCursor` of the page before.",
        "decision": "Only predictions with this decision.",
        "department": "Only people of the department with this name.",
        "dryRun": "Check and report everything, and change nothing.",
        "email": "Only the one with this e-mail address.",
        "employeeId": "Only of these people.",
        "entity": "Only entries about this kind of resource.",
        "entityId": "Only entries about the resource with this id.",
        "externalId": "Only the one with this id of your own systems.",
        "files": "Files of the archive: names without ending, separated by commas; all where it is absent.",
        "firstLine": "The number of the request's first line in the file.",
        "format": "The form of the answer, where `Accept` does not say it.",
        "from": "The first day, or the moment from which on.",
        "groupBy": "What the rows are grouped by.",
        "history": "What becomes of rows that were changed since they were decided.",
        "id": "Only those with these ids; of an import: the id that it is to have.",
        "isActive": "Only those who are active, or only those who are not.",
        "isCancelled": "Only bookings that are cancelled, or only those that are not.",
        "isCompleted": "Only bookings that are completed, or only those that are not.",
        "kind": "Only this kind; of an upload: what its rows are.",
        "kinds": "Which kinds of changes, separated by commas.",
        "level": "Only people who have the skill at this level or above.",
        "limit": "The most rows of a page.",
        "modelId": "Only answers of this model.",
        "more": "Further lines of the file come with another request.",
        "name": "Only those whose name has this text in it.",
        "onError": "What happens when rows are not valid.",
        "outcome": "Only predictions with, or only those without, a known outcome.",
        "period": "The length of the periods that the window is divided into.",
        "progress": "The most epochs of progress in the answer; the latest ones.",
        "projectId": "Only of this project.",
        "session": "Where the refresh token goes: into the answer, or into a cookie that no script can read.",
        "since": "Only what changed after this watermark.",
        "skill": "Only those with the skill of this name or alias.",
        "status": "Only those with this status.",
        "to": "The last day, or the moment before which.",
        "updatedSince": "Only those changed at or after this moment.",
        "wait": "Answer only when every live node serves the model, or after ten seconds.",
        "withPlan": "The variant for questions that name planned hours, or the one for those that do not.",
        "without": "All files of the archive but these: names without ending, separated by commas.",
    ]
}
