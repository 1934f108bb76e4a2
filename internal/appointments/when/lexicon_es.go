//nolint:misspell // the words are Spanish
package when

import (
	"slices"
	"strings"
	"time"
)

// spanish is read as it is written on a phone in Argentina, with what is usual elsewhere in Latin America and Spain beside it.
// All of it is folded: no accents, lower case, n for ñ.
var spanish = newLexicon(vocabulary{
	groups: slices.Concat(spanishDays, spanishTies, spanishHours, spanishRefusals, spanishWishes, spanishNoise),
	numbers: map[string]int{
		"cero": 0, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9, "diez": 10, "once": 11, "doce": 12,
		"trece": 13, "catorce": 14, "quince": 15, "dieciseis": 16, "diesiseis": 16, "diecisiete": 17, "diesisiete": 17, "dieciocho": 18, "diesiocho": 18, "diecinueve": 19,
		"diesinueve": 19, "diez y seis": 16, "diez y siete": 17, "diez y ocho": 18, "diez y nueve": 19, "veinte": 20, "veintiuno": 21, "veintiun": 21, "veintiuna": 21,
		"veintidos": 22, "veintitres": 23, "veinticuatro": 24, "veinticinco": 25, "veintiseis": 26, "veintisiete": 27, "veintiocho": 28, "veintinueve": 29, "treinta": 30,
		"treinta y uno": 31, "treinta y un": 31, "treintaiuno": 31, "treinta y cinco": 35, "cuarenta": 40, "cuarenta y cinco": 45, "cuarentaicinco": 45, "cincuenta": 50,
		"cincuenta y cinco": 55, "un par de": 2, "par de": 2,
	},
	mendable: "lunes martes miercoles jueves viernes sabado sabados domingo domingos manana mananas tarde tardecita noche mediodia medianoche madrugada enero febrero marzo " +
		"abril junio julio agosto septiembre setiembre octubre noviembre diciembre semana semanas proximo proxima siguiente quincena despues antes pasado principios " +
		"mediados temprano cualquier cualquiera primera ultima ultimo menos cuarto media anteayer dentro partir feriado",
	ordinary: "manzana banana manada mandala artes ante andes mates mares marte marta parte partes jueces vienes viene viernesito salado sacado sanado saldado sabido savia " +
		"entero enteros marco mazo mario mareo marcos marca abrir abris abri abria junto junta julia angosto agoto semanal serena pesado pagado parado pisado pasados " +
		"casado pasar paso pasando posado tarda tardo tardan tarta noches medio medias medida meda mesa primeros primo ultimos cuanto cuatro cuartos cuadro cuarta puerta " +
		"mediana sabana sabanas manana luna lanes linea lineas meno menor mejor centro adentro partido parti parto salir salida sabes sabe tardes antena jueguito cualquier " +
		"dominga domingas junior medica tardeo ultimar abrila quincenal dominio dominios menus lines maltes siguiendo abrio medir medido pausado quintana despacio proximos proximas mudas media sola solo temporada temprana tempo fiado ferrado felino",
	ordinals: "ro er ero era ra do da to ta mo vo no a o avo",
	first:    "primer",
	sound:    spanishSound,
})

// spanishSound spells alike what sounds alike, as far as people mistake it.
func spanishSound(word string) string { return spanishSounds.Replace(word) }

var spanishSounds = strings.NewReplacer("ce", "se", "ci", "si", "ch", "ch", "que", "ke", "qui", "ki", "v", "b", "z", "s", "c", "k", "h", "", "ll", "y", "x", "s")

var spanishDays = []entry{
	say(cDay, 0, "hoy; hoi; ohy; oy; hot dia; hoy dia; hoy mismo; hoy por hoy"),
	spell("ahora a la; ahora por la", lexeme{class: cDay}, lexeme{class: cTo}, lexeme{class: cArticle, n: artShe}),
	say(cDay, -1, "ayer; anoche; ayer a la noche"),
	say(cDay, -2, "anteayer; antier; antes de ayer; antiayer; antes de anoche"),
	say(cDay, 2, "pasado manana; pasadomanana; pasao manana; pasado mana; pasado man; pasado mna"),
	say(cDay, 3, "pasado pasado manana; traspasado manana; traspasado; pasado pasado"),
	say(cManana, 0, "manana; mna; mnna; mnn; mnana; maniana; manania; manana mismo"),
	say(cPasado, orDayAfter, "pasado"), say(cPasado, 0, "pasada; pasados"),
	say(cWeekday, int(time.Monday), "lunes; lune; luness; lun"),
	say(cWeekday, int(time.Tuesday), "martes; mart"),
	say(cWeekday, int(time.Wednesday), "miercoles; miercole; mierc; mierco; mier; mie"),
	say(cWeekday, int(time.Thursday), "jueves; jueve; juev; jue"),
	say(cWeekday, int(time.Friday), "viernes; vierne; viern; vier; vie"),
	say(cWeekday, int(time.Saturday), "sabado; sab"),
	say(cWeekday, int(time.Sunday), "domingo; dom"),
	sayPlural(cWeekday, int(time.Saturday), "sabados"),
	sayPlural(cWeekday, int(time.Sunday), "domingos"),
	say(cMonth, 1, "enero"), say(cMonth, 2, "febrero"), say(cMonth, 3, "marzo"), say(cMonth, 4, "abril"), say(cMonth, 5, "mayo"), say(cMonth, 6, "junio"),
	say(cMonth, 7, "julio"), say(cMonth, 8, "agosto"), say(cMonth, 9, "septiembre; setiembre; septiemre"), say(cMonth, 10, "octubre"), say(cMonth, 11, "noviembre"),
	say(cMonth, 12, "diciembre"),
	sayShort(cMonth, 1, "ene"), sayShort(cMonth, 2, "feb; febr"), sayShort(cMonth, 3, "mzo; mar"), sayShort(cMonth, 4, "abr"), sayShort(cMonth, 5, "may"), sayShort(cMonth, 6, "jun"),
	sayShort(cMonth, 7, "jul"), sayShort(cMonth, 8, "ago; agos"), sayShort(cMonth, 9, "sep; set; sept"), sayShort(cMonth, 10, "oct"), sayShort(cMonth, 11, "nov"), sayShort(cMonth, 12, "dic"),
	say(cNext, 0, "que viene; qviene; kviene; queviene; q viene; k viene; ke viene; qe viene; que biene; q biene; que vienen; que bienen; que venga; proximo; proxima; proximos; proximas; prox; siguiente; siguientes; "+
		"entrante; entrantes; que entra; q entra; que sigue; q sigue; que siguen; venidero; venidera; venideros"),
	say(cThis, 0, "este; esta; estos; estas"),
	say(cOther, 0, "otro; otra; otros; otras; de arriba"),
	say(cUnit, unitMinute, "minuto; minutos; minutito; minutitos; min; mins"),
	say(cUnit, unitHour, "hora; horas; horita; horitas"),
	say(cUnit, unitDay, "dia; diita"), sayPlural(cUnit, unitDay, "dias; dias corridos"),
	say(cUnit, unitWeek, "semana; semanas; semanita; sem"),
	say(cUnit, unitWeekend, "fin de semana; finde; findesemana; fin d semana; fin de sem; find; fds; finde semana; fin semana"),
	sayPlural(cUnit, unitWeekend, "fines de semana; findes; fin de semanas; fines d semana"),
	say(cUnit, unitFortnight, "quincena; quincenas"),
	say(cUnit, unitMonth, "mes; meses"),
	say(cUnit, unitYear, "ano; anos"),
	say(cOrdinal, 1, "primer; primero; primera; primeros"), say(cOrdinal, 2, "segundo; segunda"), say(cOrdinal, 3, "tercer; tercero; tercera"), say(cOrdinal, 4, "cuarta"),
	say(cOrdinal, 5, "quinto; quinta"), say(cOrdinal, -1, "ultimo; ultima"),
	say(cBegin, 0, "principio; principios; ppio; ppios; comienzo; comienzos; inicio; inicios; primeros dias; arranque; arrancando; empezando"),
	say(cMid, 0, "mediado; mediados; mitad; la mitad"),
	say(cEnd, 0, "fin; fines; final; finales; ultimos dias; terminando"),
	say(cWorkdays, 0, "entre semana; entresemana; dia de semana; dias de semana; dia de la semana laboral; dias habiles; dia habil; dias laborables; dia laborable; dias laborales; "+
		"dia laboral; dias de trabajo; en dia de semana"),
}

var spanishTies = []entry{
	say(cTo, 0, "a"),
	say(cArticle, artHe, "el; lo"), say(cArticle, artShe, "la; l"), say(cArticle, artThem, "los"), say(cArticle, artHours, "las; ls"),
	spell("al", lexeme{class: cTo}, lexeme{class: cArticle, n: artHe}),
	spell("del", lexeme{class: cOf}, lexeme{class: cArticle, n: artHe}),
	spell("alas; als; a ls; a la s; ha las; a las a las", lexeme{class: cTo}, lexeme{class: cArticle, n: artHours}),
	spell("ala; ha la", lexeme{class: cTo}, lexeme{class: cArticle, n: artShe}),
	spell("dela; d la; dl; dla", lexeme{class: cOf}, lexeme{class: cArticle, n: artShe}),
	spell("porla; xla; x la; p la", lexeme{class: cBy}, lexeme{class: cArticle, n: artShe}),
	spell("enla", lexeme{class: cIn}, lexeme{class: cArticle, n: artShe}),
	spell("delas; d las", lexeme{class: cOf}, lexeme{class: cArticle, n: artHours}),
	say(cOf, 0, "de; d"), say(cIn, 0, "en; n"), say(cFor, 0, "para; pa; pal; p"), say(cBy, 0, "por; x; durante; en el transcurso de; a lo largo de"),
	say(cOr, 0, "o; u; ou; o sino; o si no; o bien; si no; o capaz; o tal vez; o quizas; o quiza; o tambien; o por ahi; o ponele; o incluso; o en su defecto"),
	say(cAnd, 0, "y; e; i; y tambien; tambien; ademas; como tambien"),
	say(cNor, 0, "ni; y tampoco; y ni"),
	say(cBut, 0, "pero; aunque; en cambio; sino; pero si"),
	say(cYes, 0, "si"),
	say(cCorrect, 0, "perdon; perdona; digo; mejor dicho; quise decir; queria decir; corrijo; me equivoque; en realidad; mejor; me confundi; quise poner; errata"),
	say(cMove, 0, "pasar; pasarlo; pasarla; pasalo; pasame; pasarme; cambiar; cambiarlo; cambiarla; cambialo; cambiame; cambio; mover; moverlo; moverla; movelo; moveme; correr; correrlo; correlo; "+
		"reprogramar; reprogramarlo; reprograma; reagendar; reagendarlo; postergar; postergarlo; posponer; adelantar; adelantarlo; trasladar; trasladarlo; atrasar; atrasarlo; retrasar"),
	say(cFiller, 0, "mismo; misma; fecha; sin falta; puede ser; que seria; seria; si puede ser; si se puede; por favor; porfa; ponele que"),
}

var spanishHours = []entry{
	say(cPart, int(Morning), "media manana; temprano; tempranito; tempra"),
	say(cPart, int(Afternoon), "tarde; tardecita; tardesita; media tarde; siesta; tardencita"),
	say(cPart, int(Evening), "noche; nochecita; nochesita; atardecer; anochecer; tarde noche; tardenoche; tarde a la noche"),
	say(cPart, int(Dawn), "madrugada; madrugadita"),
	say(cNoon, 0, "mediodia; medio dia; mediodias; medio dias"), say(cPart, int(Noon), "hora del almuerzo; hora de almorzar; hora de comer"),
	sayPlural(cPart, int(Morning), "mananas"), sayPlural(cPart, int(Afternoon), "tardes"), sayPlural(cPart, int(Evening), "noches"),
	say(cMidnight, 0, "medianoche; media noche"),
	say(cAbout, 0, "tipo; tip; tipo a; a eso de; aeso de; eso de; onda; ponele; aprox; aproximadamente; aproximado; mas o menos; mas menos; masomenos; maso; maomeno; por ahi; estimado; cerca; cercano a; rondando"),
	say(cAbout, needsHour, "como; sobre; hacia; alrededor de; alrededor; cerca de; calculo; mas bien; mas bien a; tirando a; por ahi a"),
	say(cAfter, 0, "despues; dps; dsp; desp; dsps; depues; luego; pasadas; posterior; mas tarde de; mas tarde que; de despues"),
	spell("pasado el mediodia; pasado mediodia; pasado el medio dia", lexeme{class: cAfter}, lexeme{class: cNoon}),
	say(cBefore, 0, "antes; previo; antes que"),
	say(cUntil, 0, "hasta; asta; hta; no mas tarde; no despues; nunca despues; a mas tardar; como mucho; como tarde"),
	say(cSince, 0, "desde; dsd; dde; a partir; apartir; aparti; a parti; contando desde; no antes; nunca antes; recien; recien desde; recien a partir"),
	say(cOnward, 0, "en adelante; para adelante; pa adelante; adelante; o mas tarde; o mas; en mas; o despues; o posterior; para arriba"),
	say(cOrLess, 0, "o antes; o mas temprano; para atras; o un poco antes"),
	say(cBetween, 0, "entre; entr"),
	say(cHour, 0, "h; hs; hrs; hr; hsa; hss"),
	say(cMeridiem, 0, "am; a m"), say(cMeridiem, 12, "pm; p m"),
	say(cHalf, 0, "media; medio"), say(cQuarter, 0, "cuarto; un cuarto"),
	say(cSharp, 0, "en punto; clavadas; justas; exactas; puntual; en pto"),
	say(cAbout, 0, "y pico; y algo; o asi; y monedas"),
	say(cWithin, 0, "dentro de; adentro de; dentro d; de aca a; de aqui a; de ahora en; de aca en; de aqui en; desde hoy en"),
	say(cAgo, 0, "hace; ace; hase; desde hace; hacen; hara"),
	{"un; una; uno", []lexeme{{class: cNumber, n: 1, spelt: true, one: true}}},
}

var spanishRefusals = []entry{
	say(cNo, 0, "no; nop; noo; nooo; tampoco"),
	say(cMinus, 0, "menos"),
	say(cExcept, 0, "excepto; exepto; salvo; que no sea; que no sean; que no fuera; que no caiga; q no sea; no sea; ke no sea; sin ser; exceptuando; quitando; fuera de; a excepcion de; con excepcion de; "+
		"nada de; evitar; evitando; evita; menos que sea; menos si es; ni en pedo; excluyendo; descartado; descartando"),
	say(cCannot, 0, "no puedo; no puedo ir; no pudo; no podria; no podria ir; no podre; no podre ir; no voy a poder; no voy a poder ir; no llego; no llegaria; no me viene bien; no me viene; no me queda bien; "+
		"no me queda comodo; no me sirve; no me sirven; no me conviene; no me va; no me va bien; no estoy; no estare; no voy a estar; no tengo tiempo; no tengo disponibilidad; "+
		"imposible; me es imposible; es imposible; se me complica; se me hace dificil; se me hace imposible; se complica; complicado; complicada; no creo que pueda; estoy ocupado; estoy ocupada; "+
		"estoy a full; no me es posible; no voy; no voy a ir; no podemos; no podriamos; no quiero; no quisiera; no me gusta; no me da; no puedo los; tengo ocupado; no dispongo; no tengo libre; no me dan los horarios"),
	say(cWork, 0, "trabajo; laburo; curso; viajo; tengo clases; tengo clase; tengo facultad; tengo facu; tengo trabajo; estoy trabajando; trabajamos; estoy de viaje"),
	say(cFree, 0, "salgo; salgo de trabajar; salgo del trabajo; salgo de laburar; salgo del laburo; me libero; me desocupo; quedo libre; estoy libre; termino de trabajar; termino; puedo recien; recien puedo; salimos"),
	say(cBusy, 0, "entro; entro a trabajar; entro al trabajo; entro a laburar; entro al laburo; empiezo; empiezo a trabajar; arranco a trabajar; tengo que estar"),
}

var spanishWishes = []entry{
	say(cAny, 0, "cualquier; cualquiera; cualkier; cualkiera; cualquer; cualq; cualquier dia; cualquiera de los dias; cuando sea; cuando quieras; cuando tengas; cuando haya; cuando gustes; me da igual; "+
		"me da lo mismo; es igual; me es igual; es indistinto; indistinto; me es indistinto; el que sea; la que sea; lo que sea; lo que haya; lo que tengas; el que tengas; el que haya; no tengo preferencia; "+
		"sin preferencia; dia que sea; el dia que sea; todos los dias; todos los dias me sirven; cualquiera me sirve; cuando tengas lugar; cuando tengas libre; no tengo problema de dia"),
	say(cAny, ifAlone, "cuando puedas; cuando pueda; cuando puedan; cuando te quede bien; cuando te quede comodo; cuando les quede bien; cuando vos puedas; cuando quieran; cuando te venga bien"),
	say(cAnyHour, 0, "cualquier hora; a cualquier hora; cualquier horario; en cualquier horario; a la hora que sea; la hora que sea; todo el dia; a toda hora; cualquier momento; en cualquier momento; "+
		"cualquier momento del dia; cualquier hora del dia; durante el dia; durante todo el dia; toda la jornada; no importa la hora; da igual la hora; la hora me da igual; sin importar la hora; sin importar el horario; el horario me da igual"),
	say(cEvery, 0, "todos los; todo los; todas las; cada; todo el"),
	say(cSome, 0, "algun; alguna; algunos; algunas; unos; unas; alguno; ningun; ningunos"),
	say(cSoonest, 0, "cuanto antes; cuando antes; cuantos antes; cuanto mas antes; lo antes posible; antes posible; lo antes que puedas; lo antes que se pueda; lo antes que tengas; lo mas antes posible; lo mas pronto posible; "+
		"lo mas pronto; mas pronto posible; pronto posible; lo mas rapido posible; lo mas rapido; cuanto mas rapido; cuanto mas pronto; cuanto mas pronto mejor; cuanto antes mejor; urgente; urgentemente; con urgencia; "+
		"es una urgencia; asap; a la brevedad; a la brevedad posible; ya mismo; para ya; ahora mismo; ahora; ahora ya; de inmediato; inmediatamente; inmediato; enseguida; en seguida; en cuanto puedas; en cuanto se pueda; apenas puedas; "+
		"apenas tengas; apenas haya; apenas se pueda; ni bien puedas; ni bien tengas; ni bien haya; en un rato; en un ratito; dentro de un rato; dentro de un ratito; lo que haya mas cerca; lo que haya mas pronto; lo que haya antes; en un toque; al toque; al tiro; ahorita; ahorita mismo; lo mas cerca posible; lo mas cercano; lo mas cercano posible; el mas cercano; mas cercano; turno mas cercano; "+
		"turno mas proximo; el mas proximo; mas proximo; lo mas proximo; proximo turno; proximo turno disponible; proximo turno libre; proximo horario disponible; proximo disponible; proximo lugar; proximo hueco; primer turno disponible; "+
		"primer turno libre; primer turno que tengas; primer turno que haya; primer turno que tengan; primer lugar; primer lugar que tengas; primer lugar disponible; primer hueco; primer hueco que tengas; primer horario disponible; primer horario libre; "+
		"primer horario que tengas; primero que tengas; primera que tengas; primero que haya; primero que tengan; primero disponible; lo primero que tengas; lo primero que haya; lo primero que tengan; lo primero; primera disponible; "+
		"el que este mas cerca; lo que tengas mas pronto; lo que tengas antes; lo que tengas mas cerca; el primer turno; primera fecha disponible; primera fecha; primer dia disponible; primer dia que tengas; primer dia libre"),
	say(cFirst, 0, "primera hora; primer hora; primerisima hora; primer horario; primer turno; bien temprano; re temprano; muy temprano; lo mas temprano posible; lo mas temprano; lo mas temprano que tengas; mas temprano posible; "+
		"apenas abren; apenas abran; cuando abren; cuando abran; al abrir; a la apertura; ni bien abren; ni bien abran; prim hora; bien tempranito; temprano temprano; primeras horas; primer turno de la manana; primera hora de la manana; primer turno del dia; primera hora del dia"),
	say(cLast, 0, "ultima hora; ultimo horario; ultimo turno; ultimo turno disponible; ultimo turno del dia; ultimo horario disponible; ultimo horario del dia; ultima hora del dia; ultimisima hora; lo mas tarde posible; mas tarde posible; lo mas tarde que puedas; "+
		"lo mas tarde que tengas; lo mas tarde; bien tarde; re tarde; al cierre; sobre el cierre; cuando cierran; antes de cerrar; antes del cierre; antes que cierren; antes de que cierren; antes de que cierre; final del dia; fin del dia; al final del dia; al fin del dia; ultimo del dia; ultimo que tengas; ultimo que haya; ultimo que te quede; ultimo disponible; ult hora; "+
		"ultimo momento; ultimas horas; ultimo lugar"),
}

var spanishNoise = []entry{
	say(cHoliday, 0, "viernes santo; jueves santo; sabado santo; sabado de gloria; domingo de pascua; domingo de pascuas; domingo de ramos; domingo de resurreccion; semana santa; pascua; pascuas; lunes de pascua; carnaval; carnavales; lunes de carnaval; "+
		"martes de carnaval; feriado; feriados; dia feriado; fin de semana largo; finde largo; finde xl; navidad; noche buena; nochebuena; ano nuevo; fin de ano; dia de reyes; reyes magos; dia del trabajador; dia del trabajo; dia de los trabajadores; "+
		"dia de la madre; dia del padre; dia del nino; dia de las infancias; dia de la memoria; dia de malvinas; dia de la bandera; dia de la independencia; dia de la patria; dia de la revolucion; dia de la soberania; dia de la virgen; dia de la raza; "+
		"dia de la diversidad; dia de la diversidad cultural; dia del respeto a la diversidad cultural; dia de los muertos; dia de muertos; dia de todos los santos; todos los santos; corpus christi; fiestas patrias; dia de san valentin; san valentin; dia de los enamorados; puente; "+
		"dia no laborable; asueto; dia de la mujer; halloween"),
	say(cStreet, 0, "calle; calles; avenida; av; avda; avs; ave; pasaje; pje; diagonal; diag; ruta; esquina; esq; boulevard; bulevar; bv; bvar; blvd; plaza; barrio; domicilio; autopista; altura; colectivo; linea; ramal; depto; departamento; piso; lote; manzana; "+
		"pasillo; km; carrera; cra; cll; colonia; peatonal; estacion; hospital; clinica; colegio; escuela"),
	say(cGood, 0, "buena; buenas; buenos"),
	say(cGood, wishes, "buen; lindo; linda; lindos; lindas; feliz; felices; hermoso; hermosa; excelente; un buen; que pases; que tengas; que tengan; que terminen; que termines; que pasen"),
	say(cNoise, 0, "hasta manana; hasta luego; hasta pronto; hasta la proxima; hasta entonces; nos vemos; por ahora; hasta ahora; ahora no; ahora si; ahora que; ahora te; ahora vos; ahora yo; recien ahora; mas tarde; mas tardecito; mas temprano; mas tempranito; "+
		"llego tarde; llegar tarde; tarde pero; muy tarde; es tarde; se hizo tarde; al final; en fin; por fin; a fin de que; al fin; de una; de nuevo; una vez; otra vez; de vez en cuando; a veces; la otra vez; un segundo; un minuto; un momento; "+
		"un toque; mar del plata; cualquier cosa; cualquier duda; cualquier consulta; cualquier problema; cualquier cambio; cualquier inconveniente; mar de ajo; puerto madryn; san martin; la mar; para nada; hoy en dia; dia a dia; al dia; buen provecho; para siempre; por las dudas; las dudas; entre otras; dos por uno; "+
		"despues te; despues les; despues veo; despues vemos; despues aviso; luego te; luego les; antes que nada; antes que todo; antes de ir; antes de nada; antes de eso; antes de salir; de antes; como antes; la de antes; el de antes; igual que antes; "+
		"media hora antes; una hora antes; un rato antes; un poco antes; un poco despues; media hora despues; una hora despues; un dia antes; el dia anterior; dia anterior; los dos; las dos opciones; los tres; me da lo mismo cual; mi cuarto; entre nosotros; entre otros; entre todos; primero queria; primero que nada; primera vez; segunda vez; ultima vez; la vez pasada; vez pasada; no mas; nomas"),
	say(cCalled, 0, "soy; me llamo; mi nombre es; de parte de; con; doctor; doctora; dr; dra; sr; sra; srta; don; dona; senor; senora; hola; che; con la; con el; profe; a nombre de; nombre de; hija; hijo; tia; mama; licenciada; lic"),
	say(cCount, 0, "persona; personas; turno; turnos; corte; cortes; hijos; hijas; nene; nenes; nena; nenas; vez; veces; peso; pesos; dolar; dolares; lucas; luca; mil; usd; ars; kilo; kilos; kg; cm; mts; metros; cuadras; cuadra; grados; "+
		"sesion; sesiones; gente; lugares; perros; perro; gatos; gato; autos; auto; opciones; opcion; cuotas; puntos; fotos; piezas; dientes; caries; muelas; porciento; por ciento; chicos; chicas; adultos; menores; mayores; amigas; amigos"),
	say(cLasts, 0, "dura; duran; demora; demoran; tarda; tardan; lleva; llevan; duracion; durara; demorara; tardara; son; turno de; turnos de; sesion de; sesiones de; masaje de; clase de; clases de; lugar de"),
}
