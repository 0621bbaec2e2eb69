-- How a device is woken while its pages are closed: the JSON of a push subscription, or a Firebase registration token.
-- Its instance stays that of its contact, which for a browser is its live socket.
ALTER TABLE tokens ADD COLUMN wake TEXT;

-- The Firebase project that the device's app was made for, by the operator's name for it.
ALTER TABLE tokens ADD COLUMN namespace TEXT;
