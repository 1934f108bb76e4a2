package bot

import (
	"strings"

	"turnero/internal/appointments/when"
)

// lexicon is how customers say things in one language, as phrases in the form that words.has and words.only read.
type lexicon struct {
	language when.Language

	greetings, thanks, goodbyes, fillers []string

	yes, yesFillers, no, noFillers []string

	person       []string // wants a human being
	personAlone  []string // the same when nothing else is said
	mine         []string // asks for the appointments they have
	cancel       []string // takes an appointment back, or what is being done
	leave        []string // wants no more of what is being done
	leaveFillers []string // what may stand around that
	cannotCome   []string // takes back the appointment that is next
	hours        []string // asks when the business receives
	hoursAlone   []string // the same when nothing else is said
	does         []string // asks whether the business does something
	doesOther    []string // the same words about something that is no service
	changeOwn    []string // speaks of an appointment that is made already, and of nothing else
	change       []string // wants another time for an appointment
	changeVague  []string // the same, when there is an appointment and nothing is being chosen
	confirm      []string // says that an appointment holds
	book         []string // wants an appointment
	wish         []string // the same when nothing else is said
	menu         []string
	appointment  []string // names an appointment: "mi turno"
	where        []string // asks for the address
	optOut       []string // wants no messages any more

	more, later, earlier, otherDay []string // about the times just offered
	otherTimes                     []string // asks for other times than those, whatever is said around it
	anyTime                        []string // has no preference

	ordinals                    [][]string // words for the 1st, 2nd, … entry of a menu
	last                        []string   // words for the last entry
	middle                      []string   // and for the one in the middle
	ofTimes                     []string   // tells that the entry is a time
	choose                      []string   // what may stand around the number of an entry
	with                        string     // what stands before the name of a staff member
	toward                      []string   // what stands between the time that is and the time that shall be: "del viernes al sábado"
	hollow                      []string   // words in the name of a service that do not tell it from others
	late                        []string   // tells that they will be late
	price                       []string   // asks what something costs
	fresh                       []string   // asks for another appointment, though it speaks of "mi turno"
	another                     []string   // wants one more appointment, when nothing else is said
	all, beforeHour, behindHour []string   // wants all the services asked about; what stands around the same words when they are an hour
	oneMore                     []string   // wants one more appointment, where it is said for whom
	haveOwn                     []string   // speaks of appointments that are made already
	forTwo                      []string   // wants appointments for more than one
	forOther                    []string   // tells that an appointment is for somebody else

	morning, evening []string // the halves of the day, as the answer to "which hour"
	timeWords        []string // what times are made of, besides figures
	figures          []string
}

// spanish understands Spanish with Argentine voseo, written as people write on a phone.
var spanish = lexicon{
	language: when.Spanish,

	greetings: phrases(`
		hola, ola, holis, holaa, buenas, buen dia, buenos dias, buenas tardes, buenas noches, hey, que tal, como estas, como va, como andas, todo bien,
		disculpa*, perdon*, consulta`),
	thanks: phrases(`
		gracias, muchas gracias, mil gracias, grax, grac*, genial, buenisimo, perfecto, barbaro, excelente, de nada, joya, ok, oka, okey, listo,
		dale`),
	goodbyes: phrases(`
		chau, adios, hasta luego, hasta manana, hasta el *, nos vemos, nos vemos manana, saludos, besos, hasta pronto, que tengas *, abrazo*`),
	fillers: phrases(`
		hola, buenas, buen dia, buenos dias, buenas tardes, buenas noches, por favor, porfa*, porfis, gracias, muchas, mil, che, y, entonces, ahi, genial, que
		tal, te, me, lo, la, el, un, una, de, a, en, es, eso, esa, ese, este, esta, todo, bien, ya`),

	yes: phrases(`
		si, de acuerdo, me parece bien, me parece perfecto, me parece, esta perfecto, sale, hecho, genial, excelente, sip, sep, sisi, sis, seh, obvio, dale,
		ok, oka, okey, okay, okis, listo, confirmo~, confirmar~, confirma, confirmado, confirmada, confirmalo, de una, va, bueno, buenisimo, claro, por
		supuesto, correcto, exacto, joya, perfecto, barbaro, me sirve, me queda bien, esta bien, reservalo, reserva, reservame, agendalo, agendame, acepto,
		yes`),
	yesFillers: phrases("turno, mi, que, ese horario, horario, ok, quiero, asi, quedamos, nos vemos, voy, ahi estare"),
	no:         phrases("no, nop, nope, nono, nah, negativo, para nada, todavia no, mejor no, ninguno, ninguna, ningun*, paso, dejalo, deja, nada"),
	noFillers: phrases(`
		quiero, ese horario, ese dia, ese, me sirve, me queda bien, puedo, horario, dia, mejor, otro, otra, asi, lo mantengo, mantenelo, mantener, lo dejo,
		cambie de idea, cambie de opinion, me arrepenti, perdon, bueno, importa`),

	person: phrases(`
		hablar con, hablar * con, hablarle a, charlar con, comunicar* con, contactar* con, contacto con, atenderme alguien, atienda alguien, atiende alguien,
		atienda una persona, pasame con, derivame, derivar*, asesor*, operador*, representante, recepcion*, humano~, humana, persona real, con una persona,
		con alguien, quiero una persona, llamen, llamenme, llamame, me llaman, encargad*, el dueno, la duena, no sos una persona, sos un bot, sos un robot,
		hablar`),
	personAlone: phrases("persona, una persona, alguien, humano, un humano, gente, ayuda humana"),
	mine: phrases(`
		mis turnos, mi turno, mis reservas, mi reserva, mis citas, mi cita, ver turno*, que turno*, que turnos tengo, tengo turno, tengo un turno, tengo algun
		turno, cuando tengo, cuando es, cuando era, a que hora tengo, a que hora es, a que hora era, para cuando tengo, turnos tengo`),
	leave: phrases(`
		dejalo, deja, dejemoslo, nada, olvidalo, olvidate, no importa, ya no, ya no quiero, no quiero, no quiero nada, mejor no, no gracias, no muchas
		gracias, mas adelante, despues te escribo, despues veo, cambie de idea, cambie de opinion, cambie de parecer, me arrepenti, arrepenti, mejor lo dejo,
		lo dejo, dejala, dejalo ahi, ya fue, no hace falta, no va, no reserves nada, no lo reserves, mejor despues, mejor mas adelante,
		en otro momento, ahora no, por ahora no`),
	leaveFillers: phrases(`
		bueno, ok, oka, okey, dale, listo, mejor, al final, igual, por ahora, ahora, perdon, perdona, disculpa*, sabes que, ah, uh, uy, ay, gracias, quiero, nada,
		ningun*, turno, para nada, lo pense, pense, mas, yo`),
	cancel: phrases("cancelar~, cancel*, anular*, anula, anulo, de baja, suspender*, suspendo, suspende, eliminar*, borrar*, borra, sacame el turno"),
	cannotCome: phrases(`
		no puedo ir, no voy a poder, no voy a ir, no podre, no llego, no voy, no podria ir, no puedo asistir, no puedo manana, no puedo hoy, no asistire, no
		ire, no voy a llegar, no puedo llegar, no voy a asistir, no puedo`),
	change: phrases(`
		reprogram*, reagend*, postergar*, posponer*, aplazar*, cambiar el turno, cambiar mi turno, cambiar turno, cambiar un turno, mover un turno, pasar un
		turno, cambio de turno, cambiar la fecha, cambiar la hora, cambiar el horario, cambiar de horario, cambiar de dia, cambiar el dia, cambiarlo,
		cambiarme, cambiame, mover el turno, mover mi turno, mover turno, moverlo, moverme, moveme, pasar el turno, pasar mi turno, pasarlo para, pasarlo a,
		pasame el turno, pasar para, correr el turno, correr mi turno, correrlo, adelantar*`),
	changeOwn: phrases("reprogram*, reagend*, postergar*, posponer*, aplazar*, cambiar mi turno, mover mi turno, pasar mi turno, correr mi turno"),
	hours: phrases(`
		que hora abr*, que hora cierra*, que hora atiend*, hasta que hora *, desde que hora *, horario de atencion, horarios de atencion, horario de apertura,
		que dias abren, que dias atienden, que dias trabajan, cuando abren, cuando atienden, cuando cierran, que horario hacen, que horarios hacen`),
	hoursAlone:  phrases("horarios, horario, los horarios, sus horarios"),
	does:        phrases("hacen *, haces *, hace *, realizan *, realizas *, ofrecen *, trabajan con *"),
	doesOther:   phrases("me hacen, me haces, me hace, que hace*, hace falta, hace mucho, hace poco, hace un*, hace #, hace rato, hacen falta, hacen un lugar*, horario*"),
	changeVague: phrases("cambiar, cambio, mover, otro dia, otra fecha, otro horario, otra hora, mas tarde, mas temprano"),
	confirm:     phrases("confirmo~, confirmar~, confirma, confirmado, confirmada, ahi estare, ahi voy a estar, voy a ir, asistire, si voy"),
	book: phrases(`
		turno~, turnito, turnos, reservar~, reserva*, agendar~, agendame, cita, sacar, pedir, hay lugar, tenes lugar, tienen lugar, disponib*, horario*,
		tenes algo, servicio*, que hacen, que ofrecen, cuanto sale*, cuanto cuesta*, cuanto
		cobran, cuanto cobras, precio*, tienen algo, hay algo, tendras, tendrian, tendran`),
	wish:        phrases("quiero, quisiera, necesito, me gustaria, queria"),
	menu:        phrases("menu, inicio, volver, empezar, empezar de nuevo, opciones, ayuda, help, reiniciar"),
	appointment: phrases("turno~, turnos, reserva, cita"),
	where:       phrases("donde queda*, donde estan, donde es, donde atienden, direccion, ubicacion, como llego, donde los encuentro"),
	optOut:      phrases("baja, stop, no me escriban, no me escriban mas, no quiero mas mensajes, no me manden mas, desuscribir*"),

	more: phrases(`
		mas horario*, mas opcion*, mas turno*, ver mas, mas, otros, otras, otros horarios, otras opciones, otro horario, otra hora, que otro*, algun otro,
		alguna otra, otro, otra, ninguno, ninguna, ninguno me sirve`),
	otherTimes: phrases("otro horario, otros horarios, otra hora, otras horas, mas horarios"),
	later:      phrases("mas tarde, mas tardecito, despues, luego de eso"),
	earlier:    phrases("mas temprano, antes, mas tempranito"),
	otherDay:   phrases("otro dia, otra fecha, otros dias, dia siguiente, al otro dia"),
	anyTime: phrases(`
		cualquier horario, cualquier hora, cualquier turno, cualquiera de esos, cualquiera de los tres, cualquier*, cuando sea, cuando puedas, cuando tengas,
		lo antes posible, cuanto antes, el primero que tengas, lo que tengas, me da igual, es igual, indistinto, el mas proximo, lo primero`),

	ordinals: [][]string{
		phrases("primer*, uno"), phrases("segund*, dos"), phrases("tercer*, tres"), phrases("cuart*, cuatro"), phrases("quint*, cinco"),
		phrases("sext*, seis"), phrases("septim*, siete"), phrases("octav*, ocho"), phrases("noven*, nueve"), phrases("decim*, diez"),
	},
	last:    phrases("ultim*"),
	middle:  phrases("del medio, de en medio, del centro, el de medio"),
	ofTimes: phrases("turno~, horario*, hora"),
	choose: phrases(`
		el, la, lo, opcion, numero, nro, n, quiero, prefiero, elijo, dame, mejor, seria, por favor, porfa*, gracias, hola, si, dale, ok, bueno, no, perdon,
		digo, turno, horario, con, ese, entonces, me quedo, voy, va, listo, servicio`),
	with:   "con",
	toward: []string{" para ", " al ", " por el ", " a la ", " a las ", " puede ser ", " podria ser ", " podra ser ", " puedo ir "},
	hollow: phrases(`
		de, del, la, el, los, las, con, sin, para, por, en, a, y, o, e, media, medio, cuarto, hora, horas, dia, tarde, noche, manana, semana, mes, turno,
		servicio, completo, completa`),
	late: phrases(`
		llego tarde, llegar tarde, llegar un poco tarde, llegar unos minutos tarde, llegar * min tarde, llegar * minutos tarde, llego * min tarde, llego *
		minutos tarde, demorado, demorada, estoy llegando, me demoro, atrasado, atrasada, retrasado, retrasada`),
	price:      phrases("cuanto sale*, cuanto cuesta*, cuanto cobran, cuanto cobras, cuanto es, cuanto esta, cuanto vale*, precio*, valor*, tarifa*"),
	fresh:      phrases("sacar, reservar~, pedir, agendar~, nuevo, otro turno, sacarme"),
	another:    phrases("otro, otra, otro turno, otro mas, uno mas, otro aparte, aparte, ademas, tambien, los dos, ambos, reservar otro, quiero otro"),
	all:        phrases("cualquiera de las dos, cualquiera de los dos, las dos, los dos, las 2, los 2, ambos, ambas, las dos cosas, los dos servicios, las tres, los tres, las 3, los 3, todas, todos"),
	beforeHour: phrases("a, de, tipo, desde, hasta, para, entre, y, despues, antes, sobre"),
	behindHour: phrases("de, del, y, menos, en, hs, h, hrs, horas, pm, am, o, los, las, dias"),
	oneMore:    phrases("otro, otra, uno mas, una mas"),
	haveOwn:    phrases("mis, tengo, tenia, tenemos, teniamos"),
	forTwo: phrases(`
		para mi y para *, para mi y mi *, uno para mi *, dos turnos, 2 turnos, tres turnos, 3 turnos, y otro para mi *, y uno para mi *, y para mi hij*, un turno
		para cada un*, para nosotros dos, turnos para los dos, para mi y otr*`),
	forOther: phrases(`
		para otra persona, para otro, para otra, para mi hij*, para mi nen*, para mi espos*, para mi marido, para mi mujer, para mi novi*, para mi pareja, para
		mi mama, para mi papa, para mi madre, para mi padre, para mi herman*, para mi amig*, para mi abuel*, para mi suegr*, para mi sobrin*, para mi prim*, para
		mi niet*, para mi tio, para mi tia, para un amigo, para una amiga, para alguien mas`),

	morning: phrases("manana, temprano"),
	evening: phrases("tarde, noche, tardecita, nochecita"),
	timeWords: phrases(`
		hoy, manana, pasado, tarde, noche, mediodia, madrugada, temprano, lunes, martes, miercoles, jueves, viernes, sabado, domingo, proximo, que viene,
		este, a, al, la, las, el, los, de, del, por, para, en, y, media, cuarto, menos, hs, h, hora, horas, hrs, am, pm, punto, enero, febrero, marzo, abril,
		mayo, junio, julio, agosto, septiembre, setiembre, octubre, noviembre, diciembre, una, dos, tres, cuatro, cinco, seis, siete, ocho, nueve, diez, once,
		doce`),
	figures: phrases("#"),
}

// phrases splits a list at its commas.
func phrases(list string) []string {
	var out []string
	for phrase := range strings.SplitSeq(list, ",") {
		if words := strings.Fields(phrase); len(words) > 0 {
			out = append(out, strings.Join(words, " "))
		}
	}
	return out
}
