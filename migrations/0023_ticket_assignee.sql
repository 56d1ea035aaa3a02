-- The user who works on a ticket, by users.id; null if nobody does. No foreign key: a deleted user leaves its tickets.
ALTER TABLE tickets ADD COLUMN assignee TEXT;
