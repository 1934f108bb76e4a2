"use strict";
// What the page says, by language.
const TEXTS = {
  es: {
    docs: "API", logout: "Salir", loginTitle: "Entrar", email: "E-mail", password: "Contraseña", enter: "Entrar",
    loginHint: "Los datos para entrar se mostraron al iniciar y están en demo.json, en la carpeta de datos.",
    lineTitle: "La línea del negocio", link: "Vincular WhatsApp", scan: "Escanear con el teléfono del negocio",
    qrHint: "El negocio escanea este código una sola vez, desde WhatsApp › Dispositivos vinculados.",
    linkedHint: "Listo: el bot atiende esta línea y da turnos solo.",
    phoneTitle: "El teléfono de la clienta", customer: "Quién escribe", message: "Mensaje", send: "Enviar",
    agendaTitle: "Turnos", agendaEmpty: "Todavía no hay turnos. Escribí “hola, quiero un turno mañana a la tarde”.",
    failed: "No se pudo: ", offline: "Sin conexión con el servidor.",
    quick: ["hola, quiero un turno mañana a la tarde", "1", "sí", "mis turnos", "cancelar"],
    state: { connected: "Conectada", connecting: "Conectando…", qr: "Esperando el escaneo", pairing: "Vinculando…", stopped: "Sin vincular",
      logged_out: "Desvinculada", degraded: "No responde", replaced: "Reemplazada", banned: "Bloqueada" },
    appointment: { booked: "Reservado", confirmed: "Confirmado", completed: "Hecho", no_show: "No vino", cancelled: "Cancelado" },
  },
};
