// Lists of texts that are typed one a line: a name may hold any other mark.

export const linesOf = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
